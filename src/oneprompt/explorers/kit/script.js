// Scripts that a static page loads when a reader asks for what is in them, or comes near it.

/** What the script `file` of the built book defines under a global name, loaded once for a page. */
export function fromScript(file, name) {
  const pending = `${name}Loading`;
  globalThis[pending] ??= new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = `${document.documentElement.dataset.content_root ?? ""}_static/${file}`;
    script.addEventListener("load", () => resolve(globalThis[name]));
    script.addEventListener("error", () => {
      delete globalThis[pending];
      reject(new Error("This part of the page could not be loaded. Check the connection and try again."));
    });
    document.head.append(script);
  });
  return globalThis[pending];
}
