import { html, nothing } from 'lit-html';
import { clockTime, counted, duration, verdict } from '../words.js';

/** @type {readonly (readonly [view: string, words: string])[]} */
const tabs = [
  ['gateways', 'Gateways'],
  ['explain', 'Explain'],
  ['problems', 'Problems'],
  ['changes', 'Changes'],
];

/**
 * The whole page: the bar, the status line, and the view.
 *
 * @param {import('../types.d.ts').State} state
 * @param {unknown} content undefined while the view reads
 * @param {import('../main.js').App} app
 */
export function frame(state, content, app) {
  const { status, error } = state;
  return html`
    <a class="skip" href="#content" @click=${skip}>Skip to the content</a>
    <header class="bar">
      <a class="brand" href="#/"><svg viewBox="0 0 32 32" aria-hidden="true"><path d="M5 28V13a11 11 0 0 1 22 0v15h-5V14a6 6 0 0 0-12 0v14z"></path><circle cx="16" cy="24" r="3"></circle></svg>gatehouse</a>
      <nav aria-label="Views">${tabs.map((tab) => tabLink(state, tab))}</nav>
      <p class="live ${state.live.state}" role="status">${liveWords(state.live)}</p>
    </header>
    ${state.live.state === 'broken' ? broken(state, app) : nothing}
    <section class="status" aria-label="Status">${status === undefined ? waiting() : statusLine(status)}</section>
    <main id="content" tabindex="-1">
      ${error === undefined ? nothing : html`<p class="alert" role="alert">${error}</p>`}
      ${content ?? html`<p class="waiting">Reading …</p>`}
    </main>`;
}

/** @param {Event} event */
function skip(event) {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

/**
 * @param {import('../types.d.ts').State} state
 * @param {readonly [view: string, words: string]} tab
 */
function tabLink({ route, status }, [view, words]) {
  const current = route.view === view || (view === 'gateways' && route.view === 'object');
  const errors = view === 'problems' ? (status?.problems?.errors ?? 0) : 0;
  const warnings = view === 'problems' ? (status?.problems?.warnings ?? 0) : 0;
  return html`<a href="#/${view}" aria-current=${current ? 'page' : nothing}>${words}${
    errors + warnings > 0
      ? html` <span class="count ${errors > 0 ? 'bad' : 'warn'}">${(errors + warnings).toLocaleString('en')}</span>`
      : nothing
  }</a>`;
}

/** @param {import('../types.d.ts').Live} live */
function liveWords({ state }) {
  if (state === 'open') return 'live';
  return state === 'broken' ? 'stream broken' : 'connecting';
}

/**
 * @param {import('../types.d.ts').State} state
 * @param {import('../main.js').App} app
 */
function broken({ live, status }, app) {
  if (live.state !== 'broken') return nothing;
  const seconds = Math.max(0, Math.ceil((live.retryAt - Date.now()) / 1_000));
  const shown = status === undefined ? '' : ` Shown is the state of ${clockTime(status.time)}.`;
  return html`<div class="banner bad" role="status">
    <p>The stream is broken since ${clockTime(live.since)}.${shown} <span aria-hidden="true">Next attempt in ${seconds} s.</span></p>
    <button type="button" @click=${app.retry}>Try now</button>
  </div>`;
}

function waiting() {
  return html`<h1 class="calm">Reading …</h1>`;
}

/** @param {import('../types.d.ts').Status} status */
function statusLine(status) {
  const { tone, sentence, causes } = verdict(status);
  const { gateways, targets, policies, nodes, program } = status;
  const uptime = Math.max(0, (Date.now() - Date.parse(program.startedAt)) / 1_000);
  return html`
    <h1 class=${tone}>${sentence}${causes.length > 0 ? html`<span class="causes">${causes.join(', ')}</span>` : nothing}</h1>
    <dl class="facts">
      ${fact(gateways.served, gateways.served === 1 ? 'Gateway served' : 'Gateways served', gateways.rejected > 0 ? `${gateways.rejected} not accepted` : gateways.foreign > 0 ? `${counted(gateways.foreign, 'other')}` : '')}
      ${fact(targets, targets === 1 ? 'target' : 'targets')}
      ${fact(policies, policies === 1 ? 'policy' : 'policies')}
      ${fact(nodes.inSync, nodes.inSync === 1 ? 'node in sync' : 'nodes in sync', nodeRest(nodes))}
    </dl>
    <p class="source">${program.source} · version ${program.version} · up ${duration(uptime)} · ${program.replica}</p>`;
}

/** @param {import('../types.d.ts').NodeCounts} nodes */
function nodeRest({ behind, refusing }) {
  return [...(behind > 0 ? [`${behind} behind`] : []), ...(refusing > 0 ? [`${refusing} refusing`] : [])].join(', ');
}

/**
 * @param {number} value
 * @param {string} words
 * @param {string} [more]
 */
function fact(value, words, more = '') {
  return html`<div><dt>${words}</dt><dd>${value.toLocaleString('en')}${more === '' ? nothing : html`<small>${more}</small>`}</dd></div>`;
}
