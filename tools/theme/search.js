// Search. What it reads (see tools/search.py) are scripts, so that a page opened as a file may load them; each is loaded when first needed.
(() => {
  const root = document.documentElement.dataset.root, dialog = document.getElementById("search");
  const input = dialog.querySelector("input"), list = dialog.querySelector("ol"), hint = dialog.querySelector(".hint");
  const loaded = {}, arrived = {};
  const load = (name) => loaded[name] ??= new Promise((done) => {
    arrived[name] = done;
    document.head.append(Object.assign(document.createElement("script"), { src: `${root}search/${name}.js` }));
  });
  window.nnbookSearch = async (name, packed) => {
    const bytes = Uint8Array.from(atob(packed), (c) => c.charCodeAt(0));
    arrived[name](await new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"))).json());
  };

  // Words: British and American spelling are one, and so are a word's endings.
  const split = (text) => text.toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
  const stem = (word) => word.replace(/is(?=(e|ed|ers?|es|ing|ations?)$)/, "iz").replace(/^(.{3,}?)(ations?|ings?|ences?|ents?|ers?|ed|es|(?<!s)s|e)$/, "$1").replace(/([^aeioulsfz])\1$/, "$1");
  const telling = (words, small) => { const some = words.filter((w) => !small.has(w)); return some.length ? some : words; };

  // The number of changed, missing, added or exchanged letters that makes one word of another; Infinity when it is over the limit.
  const distance = (a, b, limit) => {
    if (Math.abs(a.length - b.length) > limit) return Infinity;
    let before, row = [...b, ""].map((_, j) => j);
    for (let i = 1, last; i <= a.length; i++) {
      [last, before, row] = [before, row, [i]];
      for (let j = 1; j <= b.length; j++) {
        row[j] = Math.min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (a[i - 1] !== b[j - 1]));
        if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) row[j] = Math.min(row[j], last[j - 2] + 1);
      }
      if (Math.min(...row) > limit) return Infinity;
    }
    return row[b.length];
  };

  // The index unpacked: for each word its stem and the sections that have it, as {section: weight}. Titles and the terms that a section teaches weigh most.
  const unpack = ({ pages, sections, small, words, at }) => {
    const table = new Map(), ignored = new Set(small.split(" ")), stems = (text) => telling(split(text), ignored).map(stem).join(" ");
    const aliases = (name) => [name.replace(/\(.*?\)/g, ""), ...(name.match(/(?<=\().+?(?=\))/g) || [])].map(stems).filter(Boolean);
    const add = (word, i, weight) => {
      if (!table.has(word)) table.set(word, { word, stem: stem(word), in: new Map() });
      const known = table.get(word).in;
      known.set(i, Math.max(weight, known.get(i) || 0));
    };
    words.split(" ").forEach((word, k) => at[k].reduce((i, step) => (add(word, i + (step >> 1), 1 + (step & 1)), i + (step >> 1)), 0));
    const first = {}, entries = sections.map(([page, id, title, ...terms], i) => {
      const [path, name] = pages[page], nth = i - (first[page] ??= i);
      split(name).forEach((w) => add(w, i, id ? 2 : 8));
      split(title).forEach((w) => add(w, i, 8));
      terms.forEach((t) => split(t).forEach((w) => add(w, i, 6)));
      const kind = path.startsWith("glossary.") ? 0.75 : /^(api\/|references\.|claims\.)/.test(path) ? 0.2 : /^(code-|exercise|recap|further)/.test(id) ? 0.6 : 1;
      return { page, nth, href: path + (id && `#${id}`), title: title ? `${name}: ${title}` : name, names: aliases(title || name), taught: terms.flatMap(aliases), kind };
    });
    return { entries, small: ignored, words: [...table.values()] };
  };

  // The words of the book that one asked for stands for: itself, its other endings, what it begins; failing these, the nearest spelling.
  const meant = (asked, words) => {
    const root = stem(asked);
    const known = words.map((w) => [w.word === asked ? 1 : w.stem === root ? 0.9 : asked.length > 1 && w.word.startsWith(asked) ? 0.5 : 0, w]).filter(([close]) => close);
    if (known.length || asked.length < 4) return known;
    const limit = asked.length < 7 ? 1 : 2;
    const near = words.map((w) => [distance(asked, w.word, limit), w]).filter(([d]) => d <= limit);
    const [best] = near.sort((a, b) => a[0] - b[0] || b[1].in.size - a[1].in.size);
    return best ? meant(best[1].word, words) : [];
  };

  // The sections that have every word; where none has, those that have most. Whoever teaches just what is asked for comes first.
  const rank = (text, { entries, small, words }) => {
    const score = new Map(), has = new Map(), all = telling(split(text), small).map((word) => meant(word, words)), known = all.filter((w) => w.length);
    for (const one of known) {
      const best = new Map();
      for (const [close, w] of one) for (const [i, weight] of w.in) best.set(i, Math.max(best.get(i) || 0, close * weight));
      const rare = Math.log(1 + entries.length / best.size);
      for (const [i, b] of best) { score.set(i, (score.get(i) || 0) + b * rare); has.set(i, (has.get(i) || 0) + 1); }
    }
    const phrase = known.map((one) => one.reduce((a, b) => (b[0] > a[0] ? b : a))[1].stem).join(" "), most = Math.max(...has.values());
    const bonus = (names, exact) => Math.max(0, ...names.map((n) => n === phrase ? exact : n.includes(phrase) ? 40 * phrase.length / n.length : 0));
    const found = [...score].filter(([i]) => has.get(i) === most).map(([i, s]) => [(s + Math.max(bonus(entries[i].names, 100), bonus(entries[i].taught, 150))) * entries[i].kind, entries[i]]);
    return { found: found.sort((a, b) => b[0] - a[0]).slice(0, 20).map(([, e]) => e), words: new Set(known.flat().map(([, w]) => w.word)) };
  };

  // Around the place with most of the words asked for, some of the text; formulas stay formulas.
  const excerpt = (text, words) => {
    const pieces = text.match(/(?:<math.*?<\/math>|\S)+/gs) || [], hit = pieces.map((p) => !p.includes("<") && split(p).some((w) => words.has(w)));
    const sum = [0]; hit.forEach((h, i) => sum.push(sum[i] + h));
    let from = 0;
    for (let i = 0; i + 12 < pieces.length; i++) if (sum[i + 13] - sum[i] > sum[from + 13] - sum[from]) from = i;
    from = Math.max(0, from - 4);
    const shown = pieces.slice(from, from + 26).map((p, i) => hit[from + i] ? `<mark>${p}</mark>` : p);
    return (from ? "… " : "") + shown.join(" ") + (from + 26 < pieces.length ? " …" : "");
  };
  const line = (entry, words) => {
    const li = document.createElement("li"), a = document.createElement("a"), b = document.createElement("b"), span = document.createElement("span");
    a.href = root + entry.href;
    for (const piece of entry.title.split(/([\p{L}\p{N}]+)/u)) {
      if (words.has(piece.toLowerCase())) b.append(Object.assign(document.createElement("mark"), { textContent: piece })); else b.append(piece);
    }
    load(entry.page).then((texts) => { span.innerHTML = excerpt(texts[entry.nth], words); });
    a.append(b, span); li.append(a);
    return li;
  };
  const find = async () => {
    const book = await (book_ ??= load("index").then(unpack)), asked = input.value.trim();
    const { found, words } = asked ? rank(asked, book) : { found: [], words: new Set() };
    list.replaceChildren(...found.map((entry) => line(entry, words)));
    list.scrollTop = 0;
    hint.textContent = asked && !found.length ? "Nothing found." : "";
  };
  let book_ = null;
  const ask = () => { load("index"); dialog.showModal(); input.select(); };
  document.querySelectorAll("[data-search]").forEach((b) => b.addEventListener("click", ask));
  input.addEventListener("input", find);
  list.addEventListener("click", (e) => { if (e.target.closest("a")) dialog.close(); });
  dialog.addEventListener("click", (e) => { if (e.target === dialog) dialog.close(); });
  dialog.addEventListener("keydown", (e) => {
    const links = [...list.querySelectorAll("a")], at = links.indexOf(document.activeElement);
    if (e.key === "Escape") { dialog.close(); e.preventDefault(); }
    if (e.key === "ArrowDown") { links[Math.min(at + 1, links.length - 1)]?.focus(); e.preventDefault(); }
    if (e.key === "ArrowUp") { (at > 0 ? links[at - 1] : input).focus(); e.preventDefault(); }
    if (e.key === "Enter" && document.activeElement === input) { e.preventDefault(); links[0]?.click(); }
  });
  addEventListener("keydown", (e) => {
    const typing = e.target.closest?.("input, textarea, select, [contenteditable]");
    if ((e.key === "/" && !typing) || (e.key === "k" && (e.ctrlKey || e.metaKey))) { e.preventDefault(); ask(); }
  });
})();
