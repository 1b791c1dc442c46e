import { html, nothing } from 'lit-html';
import { clockTime, duration, shortType, syncWords } from '../words.js';
import { badge } from './parts.js';

/**
 * A node, with its versions below.
 *
 * @param {import('../types.d.ts').GatewayNode} node
 */
export function nodeCard(node) {
  const { id, peer, state, dialect, variant, connectedSince, types } = node;
  const { words, tone } = syncWords[state];
  const rejection = types.find((type) => type.rejection !== null)?.rejection;
  const seconds = Math.max(0, (Date.now() - Date.parse(connectedSince)) / 1_000);
  return html`<li class="card" data-line=${tone}>
    <p><span class="mono id" title=${id}>${shortId(id) || peer}</span> ${badge(tone, words)}</p>
    ${rejection ? html`<p class="small bad">${rejection.message}</p>` : nothing}
    <details>
      <summary>connected ${duration(seconds)} ago</summary>
      <dl class="small">
        <div><dt>id</dt><dd class="mono">${id || '(none)'}</dd></div>
        <div><dt>from</dt><dd class="mono">${peer}</dd></div>
        <div><dt>since</dt><dd>${clockTime(connectedSince)}</dd></div>
        <div><dt>protocol</dt><dd>${variant}${dialect === null ? '' : `, ${dialect}`}</dd></div>
      </dl>
      <ul class="types">${types.map(typeLine)}</ul>
    </details>
  </li>`;
}

/**
 * The part of an id that tells nodes apart: deployed gateways write `mcpgw~<address>~<pod>.<namespace>~<domain>`.
 *
 * @param {string} id
 */
function shortId(id) {
  const [, address, pod] = id.split('~');
  return pod || address || id;
}

/** @param {import('../types.d.ts').NodeType} type */
function typeLine({ typeUrl, known, state, sent, acked, lagSeconds, counts }) {
  if (!known)
    return html`<li class="small">${shortType(typeUrl)}: <span title=${typeUrl}>a type that is not served</span></li>`;
  const { words, tone } = syncWords[state];
  return html`<li class="small"><p>${shortType(typeUrl)} ${badge(tone, words)}${lagSeconds ? html` for ${duration(lagSeconds)}` : nothing}</p>
    <p>sent <code>${version(sent)}</code>, acknowledged <code>${version(acked)}</code>; ${counts.acks} ACK, ${counts.nacks} NACK</p></li>`;
}

/** @param {{ readonly version: string } | null} sent */
function version(sent) {
  return sent === null ? '–' : sent.version.slice(0, 8);
}
