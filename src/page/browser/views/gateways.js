import { html, nothing } from 'lit-html';
import { withQuery } from '../api.js';
import { counted } from '../words.js';
import { gatewayPicture } from './gateway.js';
import { gatewayHref, pager, search } from './parts.js';

const listLimit = 20;
const targetLimit = 12;
const nodeLimit = 12;

/** The Gateways, and one of them as a picture. */
export const gateways = /** @type {import('../main.js').View} */ ({
  title: ({ rest }) => (rest === '' ? 'Gateways' : rest),
  read: async ({ rest, query }, get) => {
    const list = await get(
      withQuery('/debug/graph', {
        q: query.get('q'),
        only: query.get('only'),
        offset: query.get('offset'),
        limit: listLimit,
      }),
    );
    const chosen = rest === '' ? list.items[0]?.gateway : rest;
    if (chosen === undefined) return { list, chosen: undefined };
    const [detail, nodes] = await Promise.all([
      get(
        withQuery('/debug/graph', {
          gateway: chosen,
          q: query.get('target'),
          offset: query.get('targets'),
          limit: targetLimit,
        }),
      ),
      get(withQuery('/debug/nodes', { gateway: chosen, offset: query.get('nodes'), limit: nodeLimit })),
    ]);
    return { list, chosen, detail, nodes };
  },
  show: ({ list, chosen, detail, nodes }, { route, status }, app) => html`
    <div class="columns">
      <section class="list" aria-labelledby="gateways-title">
        <h2 id="gateways-title" tabindex="-1">Gateways</h2>
        <div class="filters">
          ${search('Name contains', route.query.get('q') ?? '', (q) => app.setQuery({ q, offset: '' }))}
          <label class="check"><input type="checkbox" .checked=${route.query.get('only') === 'problems'}
            @change=${(/** @type {Event} */ { target }) =>
              app.setQuery({
                only: target instanceof HTMLInputElement && target.checked ? 'problems' : '',
                offset: '',
              })}>only with problems</label>
        </div>
        ${list.items.length === 0 ? empty(route, status) : html`<ul class="rows">${list.items.map((/** @type {import('../types.d.ts').GatewayRow} */ row) => gatewayRow(row, chosen, route))}</ul>`}
        ${pager(list, 'Gateways', (offset) => app.setQuery({ offset: String(offset) }))}
      </section>
      ${detail === undefined ? nothing : gatewayPicture(detail, nodes, route, app)}
    </div>`,
});

/**
 * @param {import('../types.d.ts').GatewayRow} row
 * @param {string} chosen
 * @param {import('../types.d.ts').Route} route
 */
function gatewayRow(row, chosen, { query }) {
  const { gateway, targets, policies, nodes } = row;
  const [namespace, name] = gateway.split('/');
  const { tone, words } = rowState(row);
  const kept = new URLSearchParams(query);
  for (const part of ['target', 'targets', 'nodes']) kept.delete(part);
  const search = kept.size > 0 ? `?${kept}` : '';
  return html`<li><a class="row" href="${gatewayHref(gateway)}${search}" aria-current=${gateway === chosen ? 'true' : nothing}>
    <span class="dot ${tone}" aria-hidden="true"></span>
    <span class="title"><span class="namespace">${namespace}/</span>${name}</span>
    <span class="words">${words}</span>
    <span class="counts">${counted(targets, 'target')} · ${counted(policies, 'policy', 'policies')} · ${counted(nodes.inSync + nodes.behind + nodes.refusing, 'node')}</span>
  </a></li>`;
}

/**
 * @param {import('../types.d.ts').GatewayRow} row
 * @returns {{ readonly tone: string, readonly words: string }}
 */
function rowState({ state, message, nodes }) {
  if (state === 'missing') return { tone: 'bad', words: 'no such Gateway' };
  if (state === 'foreign') return { tone: 'calm', words: 'not served here' };
  if (state === 'rejected' || message !== null) return { tone: 'bad', words: 'not accepted' };
  if (nodes.refusing > 0) return { tone: 'bad', words: `${nodes.refusing} refusing` };
  if (nodes.behind > 0) return { tone: 'warn', words: `${nodes.behind} behind` };
  if (nodes.inSync === 0) return { tone: 'calm', words: 'no node' };
  return { tone: 'good', words: 'in sync' };
}

/**
 * @param {import('../types.d.ts').Route} route
 * @param {import('../types.d.ts').Status | undefined} status
 */
function empty({ query }, status) {
  if (query.has('q') || query.has('only')) return html`<p class="none">No Gateway is like that.</p>`;
  return html`<div class="none"><p>There is no Gateway${status === undefined ? '' : html` in ${status.program.source}`}.</p>
    <p>Write a GatewayClass with the controllerName of this control plane, and a Gateway with a listener of the protocol <code>kgateway.dev/mcp</code>. It appears here by itself.</p></div>`;
}
