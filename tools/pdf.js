// What tools/pdf.py does to a page of the built book before Chromium prints it.

const QUESTIONS = ".op-predict, .op-quiz, section > details:not([class]), .op-exercise > details";

/** Resolves when pictures further down and the faces are there, and explorers fit the page. */
async function settle() {
  const images = [...document.images];
  for (const image of images) image.loading = "eager";
  await Promise.all(images.map((image) => image.decode()));
  await document.fonts.ready;
  for (let i = 0; i < 2; i += 1) await new Promise(requestAnimationFrame); // they observe their size
}

function element(tag, ...children) {
  const made = document.createElement(tag);
  made.append(...children);
  return made;
}

/** A copy of what is inside, with links that hold on another page. */
function copy(parts) {
  const made = document.createDocumentFragment();
  made.append(...[...parts].map((part) => part.cloneNode(true)));
  for (const link of made.querySelectorAll("a[href]")) link.setAttribute("href", link.href);
  for (const named of made.querySelectorAll("[id]")) named.removeAttribute("id");
  return made;
}

/** The option of a quiz with what is said of it. */
function because(option) {
  const label = option.querySelector("label").textContent.replace(/\.$/, "");
  const [, ...why] = option.querySelector(".op-quiz-feedback").cloneNode(true).childNodes;
  return element("p", element("strong", label), ".", ...why);
}

/** The question, and the right answer with its reason. */
function choice(box) {
  const question = copy(box.querySelector("legend").childNodes);
  question.querySelector(".op-predict-word")?.remove();
  const right = [...box.querySelectorAll(".op-quiz-option")]
    .find((option) => option.querySelector(".op-quiz-feedback strong").textContent === "Right.");
  const answer = copy(right ? [because(right)] : [...box.querySelector("details").children].slice(1));
  for (const verdict of answer.querySelectorAll(".op-hit, .op-miss")) verdict.remove();
  return [question, answer];
}

/** A solution belongs to the exercise before it; another fold says itself what it answers. */
function solution(fold) {
  const [summary, ...answer] = fold.childNodes;
  if (summary.textContent !== "Solution") return [copy(summary.childNodes), copy(answer)];
  const titles = document.querySelectorAll("article :is(h2, h3, p > strong:first-child)");
  const before = [...titles].filter((title) =>
    title.compareDocumentPosition(fold) === Node.DOCUMENT_POSITION_FOLLOWING);
  const title = copy(before.at(-1).childNodes);
  title.querySelector(".headerlink")?.remove();
  return [title, copy(answer)];
}

/** A solution, or a fold that follows a question: "Why is it given 0?". */
function answers(fold) {
  return fold.firstElementChild.textContent === "Solution"
    || fold.previousElementSibling.textContent.trim().endsWith("?");
}

/** Opens what is printed though a reader has to open it: topics, and the package's source. */
function openFolds() {
  for (const fold of document.querySelectorAll(".op-fold, .output > details")) fold.open = true;
}

/** Takes the solutions off the page and returns them as HTML; other folded prose is opened. */
function takeAnswers() {
  const list = element("dl");
  list.className = "op-answers";
  for (const part of document.querySelectorAll(QUESTIONS)) {
    if (part.closest(".op-root")) continue;
    if (part.matches("details") && !answers(part)) {
      part.open = true;
      continue;
    }
    const [question, answer] = part.matches("details") ? solution(part) : choice(part);
    list.append(element("dt", question), element("dd", answer));
    if (part.matches("details")) part.remove();
  }
  return list.children.length ? list.outerHTML : "";
}

/** Gives the PDF a name for each place: Chromium names what the page itself links to. */
function namePlaces() {
  const links = [...document.querySelectorAll("article [id]")].map(({ id }) =>
    Object.assign(element("a"), { href: `#${encodeURIComponent(id)}` }));
  const nav = element("nav", ...links);
  nav.hidden = true;
  document.body.append(nav);
}

/** The headings that are printed: [level, text, id]. */
function headings() {
  return [...document.querySelectorAll("article section[id] :is(h1, h2, h3)")]
    .filter((heading) => heading.checkVisibility() && !heading.closest(".op-root"))
    .map((heading) => {
      const shown = copy(heading.childNodes);
      for (const extra of shown.querySelectorAll(".headerlink, .katex-mathml")) extra.remove();
      return [Number(heading.localName[1]), shown.textContent, heading.closest("section").id];
    });
}

/** The site's first page has become the cover; what it says besides is a chapter of its own. */
function retitle(title) {
  document.querySelector("article .op-title").remove();
  document.querySelector("article h1").textContent = title;
}

/** Prints something else than the page. */
function replaceArticle(html) {
  document.querySelector("article").innerHTML = html;
}
