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

const LONGEST_WAIT_MS = 1000;

/** Resolves when the browser has painted, or soon where it paints nothing: in the background. */
export const painted = () => new Promise((done) => {
  if (document.hidden) return setTimeout(done);
  setTimeout(done, LONGEST_WAIT_MS);
  return requestAnimationFrame(() => setTimeout(done));
});
