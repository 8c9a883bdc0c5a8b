// The widget's traits: read several, set several, redraw when one has changed.

/** Calls `callback` when one of the traits changes; returns the function that ends it. */
export function watch(widget, traits, callback) {
  for (const trait of traits) widget.on(`change:${trait}`, callback);
  return () => traits.forEach((trait) => widget.off(`change:${trait}`, callback));
}

/** The values of the traits. */
export const valuesOf = (widget, traits) =>
  Object.fromEntries(traits.map((trait) => [trait, widget.get(trait)]));

/** Sets traits and lets Python know. */
export function setTraits(widget, values) {
  for (const [trait, value] of Object.entries(values)) widget.set(trait, value);
  widget.save_changes();
}
