import { html, nothing } from 'lit-html';
import { counted } from '../words.js';
import { badge, objectLink } from './parts.js';

/** Rules that one answer shows. */
const mostGrants = 200;

/**
 * Rules as a table.
 *
 * @param {readonly import('../types.d.ts').Grant[]} grants
 * @param {{ readonly withGateway: boolean }} options
 */
export function grantTable(grants, { withGateway }) {
  return html`<div class="table" tabindex="0" role="region" aria-label="Rules"><table>
    <thead><tr>${withGateway ? html`<th scope="col">Gateway</th>` : nothing}<th scope="col">May use</th><th scope="col">Who</th><th scope="col">By</th></tr></thead>
    <tbody>${grants.slice(0, mostGrants).map(
      (grant) => html`<tr>
        ${withGateway ? html`<td data-label="Gateway">${grant.gateway}</td>` : nothing}
        <td data-label="May use">${what(grant)} ${grant.served ? nothing : badge('warn', 'target not served')}</td>
        <td data-label="Who"><span class="mono">${grant.claim}</span> is <span class="mono">${grant.value}</span></td>
        <td data-label="By">${rule(grant)}</td>
      </tr>`,
    )}</tbody>
  </table></div>`;
}

/** @param {import('../types.d.ts').Grant} grant */
function what({ kind, name }) {
  return name === '*' ? html`every ${kind}` : html`${kind} <span class="mono">${name}</span>`;
}

/** @param {import('../types.d.ts').Grant} grant */
function rule({ policy, rule, match, place }) {
  return html`${objectLink('MCPAuthPolicy', policy)} <span class="small">rule ${rule + 1}, match ${match + 1}${place === undefined ? nothing : html`, <span class="mono">${place}</span>`}</span>`;
}

/**
 * The answer to a question.
 *
 * @param {import('../types.d.ts').Answer} answer
 */
export function answerView(answer) {
  const { notes } = answer;
  return html`${verdictView(answer)}
    ${notes.length === 0 ? nothing : html`<ul class="notes">${notes.map((note) => html`<li>${note}</li>`)}</ul>`}`;
}

/** @param {import('../types.d.ts').Answer} answer */
function verdictView(answer) {
  const { verdict, by, reasons = [], remarks = [], omitted = 0, grants = [], targets = [], gateway } = answer;
  if (verdict === 'allowed') {
    return html`<h3 class="verdict good">Allowed</h3>
      ${by === undefined ? nothing : html`<p>by ${rule(by)}: the claim <span class="mono">${by.claim}</span> is <span class="mono">${by.value}</span></p>`}
      ${remarks.length === 0 ? nothing : html`<h4>It would fail nevertheless</h4>${reasonList(remarks)}`}`;
  }
  if (verdict === 'denied') {
    return html`<h3 class="verdict bad">Denied</h3>
      <h4>What is nearest</h4>${reasonList(reasons)}
      ${omitted > 0 ? html`<p class="note">and ${counted(omitted, 'further near miss', 'further near misses')}</p>` : nothing}`;
  }
  const who = answer.of === 'caller' ? 'This caller' : 'Somebody';
  return html`<h3 class="verdict ${grants.length > 0 ? 'good' : 'bad'}">${grants.length > 0 ? `${who} may use this on ${gateway}` : answer.of === 'caller' ? 'This caller may use nothing' : 'Nobody may use it'}</h3>
    ${grants.length === 0 ? nothing : grantTable(grants, { withGateway: false })}
    ${grants.length + omitted > mostGrants ? html`<p class="note">and ${counted(grants.length + omitted - Math.min(grants.length, mostGrants), 'further rule')}</p>` : nothing}
    ${grants.some(({ name }) => name === '*') ? html`<p class="note">“Every” is everything behind ${counted(targets.length, 'target')} of the Gateway.</p>` : nothing}
    ${remarks.length === 0 ? nothing : reasonList(remarks)}`;
}

/** @param {readonly import('../types.d.ts').Reason[]} reasons */
function reasonList(reasons) {
  return html`<ol class="reasons">${reasons.map(
    ({ message, place, at, code }) => html`<li><p>${message}</p>
      <p class="small">${at == null ? nothing : objectLink(at.kind, at.key, `${at.kind} ${at.key}`)} ${place === undefined ? nothing : html`<span class="mono">${place}</span>`} <span class="reason">${code}</span></p></li>`,
  )}</ol>`;
}
