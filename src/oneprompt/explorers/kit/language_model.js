// The language model in the page, and the notice that is shown while it loads.

import { LOADING } from "./notices.js";

/**
 * The language model, which `widget.page` loads once for all explorers of a page. Until then
 * `tell` shows a notice, and the trait `loading`, which only a page without a kernel has, is true.
 */
export async function languageModel(widget, tell = (notice) => widget.set("notice", notice)) {
  if (window.onePrompt) return window.onePrompt;
  widget.set("loading", true);
  tell(LOADING);
  try {
    return await widget.page();
  } finally {
    widget.set("loading", false);
    tell("");
  }
}
