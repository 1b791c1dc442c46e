import { html, nothing } from 'lit-html';
import { withQuery } from '../api.js';

/**
 * A word with its colour; the word says it too.
 *
 * @param {string} tone
 * @param {unknown} words
 */
export function badge(tone, words) {
  return html`<span class="badge ${tone}">${words}</span>`;
}

/**
 * The link to an object.
 *
 * @param {string} kind
 * @param {string} key
 * @param {unknown} [words]
 */
export function objectLink(kind, key, words = key) {
  return html`<a class="name" href=${objectHref(kind, key)}>${words}</a>`;
}

/**
 * @param {string} kind
 * @param {string} key
 */
export function objectHref(kind, key) {
  return `#/object/${[kind, ...key.split('/')].map(encodeURIComponent).join('/')}`;
}

/** @param {string} key */
export function gatewayHref(key) {
  return `#/gateways/${key.split('/').map(encodeURIComponent).join('/')}`;
}

/**
 * Buttons for the other pages of a list; nothing for a list of one page.
 *
 * @param {{ readonly total: number, readonly offset: number, readonly limit: number }} page
 * @param {string} what the list, for those who listen
 * @param {(offset: number) => void} go
 */
export function pager({ total, offset, limit }, what, go) {
  if (total <= limit && offset === 0) return nothing;
  const last = Math.min(offset + limit, total);
  return html`<nav class="pager" aria-label="Pages of ${what}">
    <button type="button" ?disabled=${offset === 0} @click=${() => go(Math.max(0, offset - limit))}>Previous</button>
    <span>${(offset + 1).toLocaleString('en')}–${last.toLocaleString('en')} of ${total.toLocaleString('en')}</span>
    <button type="button" ?disabled=${last >= total} @click=${() => go(offset + limit)}>Next</button>
  </nav>`;
}

/**
 * A field that filters a list while somebody types.
 *
 * @param {string} label
 * @param {string} value
 * @param {(text: string) => void} changed
 */
export function search(label, value, changed) {
  /** @type {ReturnType<typeof setTimeout> | undefined} */
  let typing;
  return html`<label class="search"><span>${label}</span>
    <input type="search" maxlength="253" autocomplete="off" spellcheck="false" .value=${value}
      @input=${(/** @type {InputEvent} */ event) => {
        clearTimeout(typing);
        const { target } = event;
        if (target instanceof HTMLInputElement) typing = setTimeout(() => changed(target.value), 200);
      }}></label>`;
}

/**
 * The query of a list in the route, for its endpoint.
 *
 * @param {string} path
 * @param {URLSearchParams} query
 * @param {Readonly<Record<string, string | number>>} fixed
 */
export function listPath(path, query, fixed) {
  return withQuery(path, { ...Object.fromEntries(query), ...fixed });
}
