// Work in slices, so that the page can draw in between.

/** A function to await between pieces of work: after 10 ms of it, the page may draw. */
export function pauses() {
  let since = performance.now();
  return async () => {
    if (performance.now() - since < 10) return;
    await new Promise((drawn) => { setTimeout(drawn); });
    since = performance.now();
  };
}

/** Resolves when the browser has painted. A page in the background paints nothing: no wait there. */
export const painted = () => new Promise((done) => {
  if (document.hidden) setTimeout(done);
  else requestAnimationFrame(() => setTimeout(done));
});
