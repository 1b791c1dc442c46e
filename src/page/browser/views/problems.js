import { html, nothing } from 'lit-html';
import { counted } from '../words.js';
import { badge, listPath, objectLink, pager, search } from './parts.js';

const limit = 50;

/** @type {Readonly<Record<string, string>>} */
const origins = { input: 'dropped', status: 'condition', hint: 'probably not meant' };

/** What is wrong, by object. */
export const problems = /** @type {import('../main.js').View} */ ({
  title: () => 'Problems',
  read: ({ query }, get) => get(listPath('/debug/problems', query, { limit })),
  show: (/** @type {import('../types.d.ts').Problems} */ report, { route }, app) => {
    const { errors, warnings, listed, kinds, items } = report;
    const severity = route.query.get('severity') ?? '';
    return html`<section aria-labelledby="problems-title">
      <h2 id="problems-title" tabindex="-1">Problems</h2>
      <p class="totals">${badge(errors > 0 ? 'bad' : 'calm', counted(errors, 'error'))} ${badge(warnings > 0 ? 'warn' : 'calm', counted(warnings, 'warning'))}
        ${kinds.map((one) => html`<span class="small">${one.kind} ${(one.errors + one.warnings).toLocaleString('en')}</span>`)}</p>
      ${errors + warnings > listed ? html`<p class="note">The first ${listed.toLocaleString('en')} are listed, errors before warnings.</p>` : nothing}
      ${errors + warnings === 0 ? html`<p class="none">Everything that was read is understood, and nothing looks misspelt.</p>` : filters(route, severity, app)}
      ${errors + warnings > 0 && items.length === 0 ? html`<p class="none">No problem is like that.</p>` : groups(items)}
      ${pager(report, 'problems', (offset) => app.setQuery({ offset: String(offset) }))}
    </section>`;
  },
});

/**
 * @param {import('../types.d.ts').Route} route
 * @param {string} severity
 * @param {import('../main.js').App} app
 */
function filters(route, severity, app) {
  const options = /** @type {const} */ ([
    ['', 'all'],
    ['error', 'errors'],
    ['warning', 'warnings'],
  ]);
  return html`<div class="filters">
    ${search('Object, place or text contains', route.query.get('q') ?? '', (q) => app.setQuery({ q, offset: '' }))}
    <div class="choice" role="group" aria-label="Severity">${options.map(
      ([value, words]) =>
        html`<button type="button" aria-pressed=${severity === value ? 'true' : 'false'} @click=${() => app.setQuery({ severity: value, offset: '' })}>${words}</button>`,
    )}</div>
  </div>`;
}

/** @param {readonly import('../types.d.ts').Problem[]} items */
function groups(items) {
  const byObject = Map.groupBy(items, ({ kind, key, place }) => (kind === null ? (place ?? '') : `${kind} ${key}`));
  return html`<ul class="groups">${[...byObject.values()].map(group)}</ul>`;
}

/** @param {readonly import('../types.d.ts').Problem[]} problems */
function group(problems) {
  const [first] = problems;
  if (first === undefined) return nothing;
  const { kind, key, place } = first;
  const worst = problems.some(({ severity }) => severity === 'error') ? 'bad' : 'warn';
  return html`<li class="group ${worst}">
    <h3>${kind === null || key === null ? html`<span class="mono">${place ?? 'the input'}</span>` : html`<span class="kind">${kind}</span> ${objectLink(kind, key)}`}
      ${problems.length > 1 ? html`<span class="count ${worst}">${problems.length}</span>` : nothing}</h3>
    <ul>${problems.map(problem)}</ul>
  </li>`;
}

/** @param {import('../types.d.ts').Problem} problem */
function problem({ severity, from, field, place, message, kind }) {
  return html`<li>${badge(severity === 'error' ? 'bad' : 'warn', severity)} <p>${message}</p>
    <p class="small">${kind !== null && place !== null ? html`<span class="mono">${place}</span>` : nothing} ${field === '' ? nothing : html`<span class="mono">${field}</span>`} <span class="reason">${origins[from] ?? from}</span></p></li>`;
}
