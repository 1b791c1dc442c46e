import type { AncestorRef, Condition, PolicyNotice, PolicyStatus, ServiceNotice } from '../../translate/model.ts';
import type { RefusedResponse } from '../model.ts';
import type { Occurrence } from './occurrence.ts';

/** A node refused what it was sent: the replica that it is connected to is the only one that knows. */
export function tellRefusal({ gateway, node, typeUrl, message }: RefusedResponse): Occurrence {
  const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const who = node === '' ? 'A node without an id' : `The node ${JSON.stringify(node)}`;
  return {
    kind: 'Gateway',
    key: gateway,
    type: 'Warning',
    reason: 'ResponseRejected',
    action: 'Serve',
    note: `${who} keeps its earlier configuration, because it refuses a response of type ${type}: ${message}`,
    // A fleet refuses with one voice, and that is one thing to be told.
    sameAs: `${typeUrl} ${message}`,
    toldBy: 'every replica',
  };
}

/** What is dropped of a Service, and what is to be remarked on one that works: it has no status to say it in. */
export function tellService({ namespace, name, dropped, warnings }: ServiceNotice): readonly Occurrence[] {
  const told = (reason: string, sentences: readonly string[]): readonly Occurrence[] =>
    sentences.length === 0
      ? []
      : [
          {
            kind: 'Service',
            key: `${namespace}/${name}`,
            type: 'Warning',
            reason,
            action: 'Translate',
            note: sentences.join(' '),
            toldBy: 'leader',
          },
        ];
  return [...told('InvalidMCPService', dropped), ...told('MCPServiceRemark', warnings)];
}

/** References of a policy that no status can name. */
export function tellPolicy({ namespace, name, unwritable }: PolicyNotice): Occurrence {
  return aboutPolicy(`${namespace}/${name}`, 'InvalidTargetRef', unwritable.join(' '));
}

/**
 * Ancestors for which other controllers left no room in a policy's status, each with what there would be to read. The
 * list comes last, because it is what may be cut off.
 */
export function tellCrowdedOut(key: string, ancestors: PolicyStatus['ancestors']): Occurrence {
  const names = ancestors.map(({ ancestorRef, conditions }) => `${refText(ancestorRef)} (${standingText(conditions)})`);
  const note = `Other controllers' entries fill status.ancestors. That changes nothing of what is enforced, but there is no room to tell of: ${names.join(', ')}.`;
  return aboutPolicy(key, 'AncestorsFull', note);
}

function refText({ kind, name, sectionName }: AncestorRef): string {
  return sectionName === undefined ? `${kind} ${name}` : `${kind} ${name}, section ${sectionName}`;
}

/** `Accepted`, or the reason why it is not; what was dropped stands beside it. */
function standingText(conditions: readonly Condition[]): string {
  return conditions.map(({ reason }) => reason).join(', ');
}

function aboutPolicy(key: string, reason: string, note: string): Occurrence {
  return { kind: 'MCPAuthPolicy', key, type: 'Warning', reason, action: 'Translate', note, toldBy: 'leader' };
}
