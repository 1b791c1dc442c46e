import type { Listed, TargetChange, WorldDiff } from '../../app/offline/world-diff.ts';
import type { AccessChange, Placed, SignerChange } from '../../explain/model.ts';
import { quoted } from '../../json/quoted.ts';
import { oneLine, type Style } from './style.ts';

/** The document that `docs/operating.md` describes. */
export function diffDocument({ widens, targets, gained, lost, signers }: WorldDiff): object {
  return {
    version: 1,
    widens,
    totals: { targets: targets.total, gained: gained.total, lost: lost.total, signers: signers.total },
    signers: signers.listed,
    targets: targets.listed,
    gained: gained.listed.map((change) => ({ ...change, message: accessText(change, 'now') })),
    lost: lost.listed.map((change) => ({ ...change, message: accessText(change, 'no longer') })),
  };
}

/** A change in words. */
export function diffText(diff: WorldDiff, style: Style): string {
  const { targets, gained, lost, signers } = diff;
  return [
    ...targetLines(targets, style),
    ...accessLines('access gained', gained, (change) => style.red(`+ ${accessText(change, 'now')}`), style),
    ...accessLines('access lost', lost, (change) => style.green(`- ${accessText(change, 'no longer')}`), style),
    ...signerLines(signers, style),
    summary(diff, style),
  ].join('\n');
}

const marks = { added: '+', removed: '-', changed: '~' } as const;

function targetLines({ listed, total }: Listed<TargetChange>, style: Style): readonly string[] {
  const lines: string[] = [];
  let shown = '';
  for (const { gateway, change, target, before, after } of listed) {
    if (gateway !== shown) lines.push(style.bold(`targets of Gateway ${gateway}:`));
    shown = gateway;
    const address = change === 'changed' ? `${before} becomes ${after}` : (before ?? after);
    lines.push(`  ${marks[change]} ${target} (${address})`);
  }
  return [...lines, ...more(total - listed.length)];
}

function accessLines(
  title: string,
  { listed, total }: Listed<Placed<AccessChange>>,
  line: (change: AccessChange) => string,
  style: Style,
): readonly string[] {
  if (total === 0) return [];
  const lines = listed.map((change) => {
    const { policy, rule, match } = change.by;
    const place = change.place === undefined ? '' : ` (${oneLine(change.place)})`;
    return `  ${line(change)}\n      by MCPAuthPolicy ${policy} spec.rules[${rule}].matches[${match}]${place}`;
  });
  return [style.bold(`${title}:`), ...lines, ...more(total - listed.length)];
}

function more(number: number): readonly string[] {
  return number > 0 ? [`  ... and ${number} more`] : [];
}

const verbs = { tool: 'call', prompt: 'get', resource: 'read' } as const;

/** Targets that a sentence names. */
const mostTargets = 5;

/** A sentence about all callers with a claim. */
function accessText(change: AccessChange, when: 'now' | 'no longer'): string {
  const { gateway, claim, value, kind, name, targets, by } = change;
  const who = `callers whose ${quoted(claim)} is ${quoted(value)} may ${when} ${verbs[kind]}`;
  if (name !== '*') {
    const later = by.served ? '' : ', when the Gateway serves that target';
    return `${who} the ${kind} ${quoted(name)} on Gateway ${gateway}${later}`;
  }
  if (targets === undefined) return `${who} every ${kind} of every target on Gateway ${gateway}`;
  const names = targets.slice(0, mostTargets).map(quoted).join(', ');
  const others = targets.length > mostTargets ? ` and ${targets.length - mostTargets} more` : '';
  return `${who} every ${kind} of ${names}${others} on Gateway ${gateway}`;
}

function signerLines({ listed, total }: Listed<SignerChange>, style: Style): readonly string[] {
  if (total === 0) return [];
  const lines = listed.map(({ gateway, issuers }) => {
    const whose = issuers.length === 0 ? 'no issuer that is valid' : issuers.map(quoted).join(', ');
    return `  ${style.red(`+ other tokens than before may be accepted on Gateway ${gateway}: policies name ${whose}`)}`;
  });
  return [style.bold('who may sign tokens:'), ...lines, ...more(total - listed.length)];
}

function summary({ widens, targets, gained, lost, signers }: WorldDiff, style: Style): string {
  if (targets.total + gained.total + lost.total + signers.total === 0) return 'nothing changes for any gateway';
  const verdict = widens ? style.red('access widens') : 'access does not widen';
  const counts = `${gained.total} gained, ${lost.total} lost; ${targets.total} changes of targets`;
  return `${verdict}: ${counts}${signers.total > 0 ? `; ${signers.total} of signers` : ''}`;
}
