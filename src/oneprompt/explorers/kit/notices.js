// Messages to the reader while the page works.

export const LOADING = "Loading the model (about 5 MB) …";
export const COMPUTING = "Computing …";
