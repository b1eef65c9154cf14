// The page's own script: light and dark, contents, copying, search. Without it the book still reads.
(() => {
  const html = document.documentElement, root = html.dataset.root, all = (s, e = document) => [...e.querySelectorAll(s)];

  // Light and dark: the reader's choice is kept; until there is one, the system's holds (see the script in the head).
  all("[data-scheme]").forEach((button) => button.addEventListener("click", () => {
    const dark = html.classList.toggle("quarto-dark");
    html.classList.toggle("quarto-light", !dark);
    try { localStorage.setItem("nnbook-scheme", dark ? "dark" : "light"); } catch {}
  }));

  // Contents on a narrow screen; on a wide one, keep the current chapter in view and mark the section being read.
  const menu = document.querySelector("[data-menu]"), contents = document.getElementById("contents");
  const open = (on) => { document.body.classList.toggle("menu-open", on); menu.setAttribute("aria-expanded", on); if (on) scrollTo(0, 0); };
  menu.addEventListener("click", () => open(!document.body.classList.contains("menu-open")));
  contents.addEventListener("click", (e) => { if (e.target.closest("a")) open(false); });
  const here = contents.querySelector("[aria-current]");
  if (here && here.offsetTop > contents.clientHeight * 0.7) contents.scrollTop = here.offsetTop - contents.clientHeight / 3;
  const sections = all(".sections a", contents).map((a) => [a, document.getElementById(decodeURIComponent(a.hash.slice(1)))]).filter(([, s]) => s);
  const mark = () => {
    const now = sections.filter(([, s]) => s.getBoundingClientRect().top < innerHeight * 0.3).pop();
    sections.forEach(([a]) => a.classList.toggle("seen", !!now && a === now[0]));
  };
  if (sections.length) { addEventListener("scroll", mark, { passive: true }); mark(); }

  // Folds: a link or a search hit that leads into one opens it; one control and one key open and close the code of the whole page.
  const reveal = () => {
    const target = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let fold = target && target.closest("details"); fold; fold = fold.parentElement.closest("details")) fold.open = true;
    if (target) target.scrollIntoView();
  };
  if (location.hash) reveal();
  addEventListener("hashchange", reveal);
  addEventListener("click", (e) => { const a = e.target.closest?.("a[href]"); if (a && a.hash && a.href === location.href) reveal(); });
  const folds = all("details.code-fold"), control = document.querySelector("[data-folds]");
  const openAll = () => {
    const on = control.getAttribute("aria-pressed") !== "true";
    control.setAttribute("aria-pressed", on);
    control.firstElementChild.textContent = on ? "Close all code" : "Open all code";
    folds.forEach((fold) => { fold.open = on; });
    reachable();
  };
  control?.addEventListener("click", openAll);

  // What is wider than its place scrolls inside itself, and the keyboard reaches it.
  const reachable = () => all("main pre, .sd-table, .nn-scroll, .nn-equation > p").forEach((e) => {
    if (e.scrollWidth > e.clientWidth + 1) e.tabIndex = 0; else e.removeAttribute("tabindex");
  });
  reachable();
  folds.forEach((fold) => fold.addEventListener("toggle", reachable));
  addEventListener("resize", reachable);
  document.fonts?.ready.then(reachable);

  // Copy buttons.
  all("main pre.code").forEach((pre) => {
    const box = document.createElement("div"), button = document.createElement("button");
    box.className = "codebox"; button.className = "copy"; button.type = "button"; button.textContent = "Copy";
    pre.replaceWith(box); box.append(pre, button);
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(pre.textContent.trimEnd() + "\n");
      button.textContent = "Copied";
      setTimeout(() => { button.textContent = "Copy"; }, 1500);
    });
  });

  // Search. The index is a script, so that it loads in a page opened as a file; it is loaded when first needed.
  const dialog = document.getElementById("search"), input = dialog.querySelector("input"), list = dialog.querySelector("ol"), hint = dialog.querySelector(".hint");
  let index = null;
  const plain = (s) => s.toLowerCase().replace(/[‘’]/g, "'");
  const load = () => index ??= new Promise((done) => {
    window.nnbookSearch = async (packed) => {
      const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
      const sections = await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json();
      done(sections.map(([href, page, section, text]) => ({ href, page, section, text, head: plain(`${page} ${section}`), low: plain(text) })));
    };
    const script = document.createElement("script");
    script.src = `${root}assets/search.js`;
    document.head.append(script);
  });
  const escape = (s) => s.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
  // Every word must begin a word of the section. A glossary entry of just these words comes first; lists and the library's pages come after what teaches.
  const bare = (s) => plain(s).replace(/\s*\(.*?\)/g, "").replace(/[-–\s]+/g, " ").trim();
  const score = (entry, words) => {
    let total = 0;
    for (const w of words) {
      const start = new RegExp(`(^|[^\\p{L}\\p{N}])${escape(w)}`, "gu");
      const inHead = start.test(entry.head), times = (entry.low.match(start) || []).length;
      if (!inHead && !times) return 0;
      total += (inHead ? 12 : 0) + Math.min(times, 5);
    }
    const asked = bare(words.join(" ")), terms = [entry.section, ...(entry.section.match(/(?<=\().+?(?=\))/g) || [])].map(bare);
    if (entry.href.startsWith("glossary.html#term-")) return total + (terms.some((t) => t === asked || `${t}s` === asked) ? 1000 : terms[0].startsWith(asked) ? 100 : 0);
    return total * (/^(api\/|references\.|claims\.)/.test(entry.href) ? 0.5 : 1);
  };
  const marked = (text, words) => {
    const out = document.createDocumentFragment(), pattern = new RegExp(`(${words.map(escape).join("|")})`, "giu");
    text.split(pattern).forEach((piece, i) => {
      if (i % 2) { const m = document.createElement("mark"); m.textContent = piece; out.append(m); } else out.append(piece);
    });
    return out;
  };
  const snippet = (entry, words) => {
    const at = Math.max(0, Math.min(...words.map((w) => entry.low.indexOf(w)).filter((i) => i >= 0), 1e9));
    const from = at > 1e8 ? 0 : Math.max(0, entry.text.lastIndexOf(" ", Math.max(0, at - 50)));
    return (from ? "… " : "") + entry.text.slice(from, from + 150).trim() + (entry.text.length > from + 150 ? " …" : "");
  };
  const find = async () => {
    const words = plain(input.value).split(/\s+/).filter(Boolean), sections = await load();
    const found = words.length ? sections.map((e) => [score(e, words), e]).filter(([s]) => s).sort((a, b) => b[0] - a[0]).slice(0, 20) : [];
    list.replaceChildren(...found.map(([, e]) => {
      const li = document.createElement("li"), a = document.createElement("a"), b = document.createElement("b"), span = document.createElement("span");
      a.href = root + e.href;
      b.append(marked(e.section ? `${e.page}: ${e.section}` : e.page, words));
      span.append(marked(snippet(e, words), words));
      a.append(b, span); li.append(a);
      return li;
    }));
    hint.textContent = words.length && !found.length ? "Nothing found." : "";
  };
  const ask = () => { load(); dialog.showModal(); input.select(); };
  all("[data-search]").forEach((b) => b.addEventListener("click", ask));
  input.addEventListener("input", find);
  list.addEventListener("click", (e) => { if (e.target.closest("a")) dialog.close(); });
  dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (e) => {
    const links = all("a", list), at = links.indexOf(document.activeElement);
    if (e.key === "ArrowDown") { links[Math.min(at + 1, links.length - 1)]?.focus(); e.preventDefault(); }
    if (e.key === "ArrowUp") { (at > 0 ? links[at - 1] : input).focus(); e.preventDefault(); }
    if (e.key === "Enter" && document.activeElement === input) { e.preventDefault(); links[0]?.click(); }
  });
  addEventListener("keydown", (e) => {
    const typing = e.target.closest?.("input, textarea, select, [contenteditable]");
    if ((e.key === "/" && !typing) || (e.key === "k" && (e.ctrlKey || e.metaKey))) { e.preventDefault(); ask(); }
    if (e.key === "o" && control && !typing && !dialog.open && !e.ctrlKey && !e.metaKey && !e.altKey) openAll();
  });
})();
