import { html, nothing } from 'lit-html';
import { counted } from '../words.js';
import { nodeCard } from './nodes.js';
import { badge, objectHref, objectLink, pager, search } from './parts.js';

/**
 * One Gateway as a picture: its nodes, its listeners, and what they lead to.
 *
 * @param {import('../types.d.ts').GatewayDetail} detail
 * @param {import('../types.d.ts').Nodes} nodes
 * @param {import('../types.d.ts').Route} route
 * @param {import('../main.js').App} app
 */
export function gatewayPicture(detail, nodes, route, app) {
  const { gateway, state, message, listeners, targets, policies } = detail;
  return html`<section class="detail" aria-labelledby="picture-title">
    <div class="heading">
      <h2 id="picture-title" tabindex="-1">${gateway}</h2>
      ${state === 'missing' ? nothing : html`<a href=${objectHref('Gateway', gateway)}>YAML, conditions, rules</a>`}
    </div>
    ${message === null ? nothing : html`<p class=${state === 'foreign' ? 'note' : 'alert'}>${message}</p>`}
    <div class="picture">
      <svg class="lines" aria-hidden="true"></svg>
      <section class="column" aria-label="Nodes">
        <h3>Nodes</h3>
        ${nodes.nodes.length === 0 ? html`<p class="none">No gateway is connected.</p>` : html`<ul class="cards">${nodes.nodes.map(nodeCard)}</ul>`}
        ${pager(nodes, 'nodes', (offset) => app.setQuery({ nodes: String(offset) }))}
      </section>
      <section class="column hub" aria-label="Listeners">
        <h3>Gateway</h3>
        <div class="card hub" data-hub>
          <p class="title">${gateway.split('/')[1]}</p>
          <p class="words">${hubState(detail)}</p>
          ${listeners.length === 0 ? html`<p class="none">It has no listener.</p>` : html`<ul class="listeners">${listeners.map(listener)}</ul>`}
        </div>
      </section>
      <section class="column" aria-label="Policies and targets">
        <h3>Policies</h3>
        ${policies.items.length === 0 ? html`<p class="none">Nobody may use anything: no policy names this Gateway.</p>` : html`<ul class="cards">${policies.items.slice(0, mostPolicies).map(policyCard)}</ul>`}
        ${policies.total > mostPolicies ? html`<p class="note">and ${counted(policies.total - mostPolicies, 'further policy', 'further policies')}</p>` : nothing}
        <h3>Targets</h3>
        ${targets.total > targets.limit || route.query.has('target') ? search('Name contains', route.query.get('target') ?? '', (target) => app.setQuery({ target, targets: '' })) : nothing}
        ${targets.items.length === 0 ? html`<p class="none">No target: no Service with an MCP port is in a namespace that a listener allows.</p>` : html`<ul class="cards">${targets.items.map(targetCard)}</ul>`}
        ${pager(targets, 'targets', (offset) => app.setQuery({ targets: String(offset) }))}
      </section>
    </div>
  </section>`;
}

/** Policies that the picture shows; the object has all rules. */
const mostPolicies = 8;

/** @param {import('../types.d.ts').GatewayDetail} detail */
function hubState({ state, nodes }) {
  if (state !== 'served') return badge('bad', state === 'missing' ? 'does not exist' : 'not served');
  if (nodes.refusing > 0) return badge('bad', `${counted(nodes.refusing, 'node')} refusing`);
  if (nodes.behind > 0) return badge('warn', `${counted(nodes.behind, 'node')} behind`);
  return nodes.inSync > 0 ? badge('good', 'all nodes in sync') : badge('calm', 'served to nobody yet');
}

/** @param {import('../types.d.ts').Listener} listener */
function listener({ name, port, allows, accepted, message }) {
  return html`<li>
    <p><strong>${name ?? 'a listener'}</strong>${port ? html` <span class="mono">:${port}</span>` : nothing} ${accepted ? nothing : badge('bad', 'not accepted')}</p>
    <p class="small">${accepted ? html`from ${allows}` : message}</p>
  </li>`;
}

/** @param {import('../types.d.ts').Policy} policy */
function policyCard({ policy, attached, rules, message }) {
  return html`<li class="card" data-line=${attached ? (message === null ? 'calm' : 'warn') : 'bad'}>
    <p>${objectLink('MCPAuthPolicy', policy)} ${attached ? nothing : badge('bad', 'not attached')}</p>
    <p class="small">${message ?? counted(rules, 'rule')}</p>
  </li>`;
}

/** @param {import('../types.d.ts').Target} target */
function targetCard({ name, service, host, port, path }) {
  const scheme = port === 443 ? 'https' : 'http';
  return html`<li class="card" data-line="calm">
    <p>${objectLink('Service', service, name)}</p>
    <p class="small mono">${host === null ? '' : `${scheme}://${host}:${port}${path || '/sse'}`}</p>
  </li>`;
}
