import type { AncestorRef, PolicyNotice, ServiceNotice } from '../translate/model.ts';
import type { RefusedResponse } from './model.ts';
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

/** Ancestors for which other controllers left no room in a policy's status. */
export function tellCrowdedOut(key: string, ancestors: readonly AncestorRef[]): Occurrence {
  const names = ancestors.map(({ kind, name }) => `${kind} ${name}`).join(', ');
  const note = `status.ancestors is full of other controllers' entries, so that it says nothing of: ${names}. The policy is enforced there all the same.`;
  return aboutPolicy(key, 'AncestorsFull', note);
}

function aboutPolicy(key: string, reason: string, note: string): Occurrence {
  return { kind: 'MCPAuthPolicy', key, type: 'Warning', reason, action: 'Translate', note, toldBy: 'leader' };
}
