// The widget's traits: read several, set several, redraw when some have changed.

/**
 * Calls `redraw` once after the traits have changed, however many changed at a time: a half-changed
 * state is never drawn. Returns the function that ends it.
 */
export function watch(widget, traits, redraw) {
  let [waiting, ended] = [false, false];
  const later = () => {
    if (waiting) return;
    waiting = true;
    queueMicrotask(() => {
      waiting = false;
      if (!ended) redraw();
    });
  };
  for (const trait of traits) widget.on(`change:${trait}`, later);
  return () => {
    ended = true;
    for (const trait of traits) widget.off(`change:${trait}`, later);
  };
}

/** The values of the traits. */
export const valuesOf = (widget, traits) =>
  Object.fromEntries(traits.map((trait) => [trait, widget.get(trait)]));

/** Sets traits and lets Python know. */
export function setTraits(widget, values) {
  for (const [trait, value] of Object.entries(values)) widget.set(trait, value);
  widget.save_changes();
}
