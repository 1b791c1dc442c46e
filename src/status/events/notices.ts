import type { Collection } from '../../graph/model.ts';
import { quoted } from '../../json/quoted.ts';
import type {
  AncestorRef,
  Condition,
  KeyNotice,
  PolicyNotice,
  PolicyStatus,
  ServiceNotice,
  Translation,
} from '../../translate/model.ts';
import type { DeniedClaim, Hint, RejectedResponse } from '../model.ts';
import type { ObjectEvent } from './event.ts';
import type { EventRecorder } from './event-recorder.ts';

/** The ancestors of policies for which their statuses have no room. */
export interface PolicyAncestors {
  policies(): Iterable<string>;
  ancestorsWithoutRoom(policy: string): PolicyStatus['ancestors'];
}

/** The notices that a change has changed, by key. */
export interface NoticeKeys {
  readonly serviceNotices: Iterable<string>;
  readonly policyNotices: Iterable<string>;
  readonly keyNotices: Iterable<string>;
  /** Policies whose desired or observed status may have changed. */
  readonly MCPAuthPolicy: Iterable<string>;
}

function existing<V>(notices: Collection<V>, keys: Iterable<string>): readonly V[] {
  return [...keys].flatMap((key) => notices.get(key) ?? []);
}

/**
 * Records, on the leader, Events for what no status has a field for: once when leadership begins, and at each change.
 */
export class NoticeReporter {
  readonly #translation: Translation;
  readonly #ancestors: PolicyAncestors;
  readonly #recorder: Pick<EventRecorder, 'record' | 'recordOnce'>;
  /**
   * The last AncestorsFull note of each policy: a change of the policy that does not change the note records nothing.
   */
  readonly #ancestorNotes = new Map<string, string>();

  constructor(
    translation: Translation,
    ancestors: PolicyAncestors,
    recorder: Pick<EventRecorder, 'record' | 'recordOnce'>,
  ) {
    this.#translation = translation;
    this.#ancestors = ancestors;
    this.#recorder = recorder;
  }

  /** Records all notices. Those that this replica recorded within the last hour are not counted again. */
  all(): void {
    const { serviceNotices, policyNotices, keyNotices } = this.#translation;
    const record = (event: ObjectEvent): void => this.#recorder.recordOnce(event);
    this.#ancestorNotes.clear();
    for (const [, notice] of serviceNotices.entries()) serviceEvents(notice).forEach(record);
    for (const [, notice] of policyNotices.entries()) record(targetRefEvent(notice));
    for (const [, notice] of keyNotices.entries()) record(keyEvent(notice));
    for (const policy of this.#ancestors.policies()) this.#recordAncestors(policy, record);
  }

  /** Records the hints that there are now: each again when its Event is older than an hour. */
  hinted(hints: readonly Hint[]): void {
    for (const event of hintEvents(hints)) this.#recorder.recordOnce(event);
  }

  /** Records the notices that a change has changed and that there are now. */
  changed(keys: NoticeKeys): void {
    const { serviceNotices, policyNotices, keyNotices } = this.#translation;
    const record = (event: ObjectEvent): void => this.#recorder.record(event);
    for (const notice of existing(serviceNotices, keys.serviceNotices)) serviceEvents(notice).forEach(record);
    for (const notice of existing(policyNotices, keys.policyNotices)) record(targetRefEvent(notice));
    for (const notice of existing(keyNotices, keys.keyNotices)) record(keyEvent(notice));
    for (const policy of keys.MCPAuthPolicy) this.#recordAncestors(policy, record);
  }

  #recordAncestors(policy: string, record: (event: ObjectEvent) => void): void {
    const ancestors = this.#ancestors.ancestorsWithoutRoom(policy);
    if (ancestors.length === 0) {
      this.#ancestorNotes.delete(policy);
      return;
    }
    const event = ancestorsFullEvent(policy, ancestors);
    if (this.#ancestorNotes.get(policy) === event.note) return;
    this.#ancestorNotes.set(policy, event.note);
    record(event);
  }
}

/** The Event of a NACK. Only the replica to which the node is connected receives it. */
export function rejectionEvent({ gateway, node, typeUrl, message }: RejectedResponse): ObjectEvent {
  const type = typeUrl.slice(typeUrl.lastIndexOf('/') + 1);
  const who = node === '' ? 'A node without an id' : `The node ${quoted(node)}`;
  return {
    kind: 'Gateway',
    key: gateway,
    type: 'Warning',
    reason: 'ResponseRejected',
    action: 'Serve',
    note: `${who} keeps its earlier configuration, because it refuses a response of type ${type}: ${message}`,
    // One series for all nodes that reject a response for the same reason.
    aggregateBy: `${typeUrl} ${message}`,
    reportedBy: 'every replica',
  };
}

/** The Event of a Gateway that a ServiceAccount claims which may not be its node. */
export function deniedEvent({ account, message }: DeniedClaim, gateway: string): ObjectEvent {
  return {
    kind: 'Gateway',
    key: gateway,
    type: 'Warning',
    reason: 'NodeDenied',
    action: 'Serve',
    note: message,
    aggregateBy: account,
    reportedBy: 'every replica',
  };
}

/** The Events of a Service, which has no status: what is dropped, and warnings about what works. */
export function serviceEvents({ namespace, name, dropped, warnings }: ServiceNotice): readonly ObjectEvent[] {
  const object = { kind: 'Service', key: `${namespace}/${name}`, type: 'Warning', action: 'Translate' } as const;
  const eventOf = (reason: string, sentences: readonly string[]): readonly ObjectEvent[] =>
    sentences.length === 0 ? [] : [{ ...object, reason, note: sentences.join(' '), reportedBy: 'leader' }];
  return [...eventOf('InvalidMCPService', dropped), ...eventOf('MCPServiceRemark', warnings)];
}

/** The Event of the target references of a policy that `status.ancestors` cannot name. */
export function targetRefEvent({ namespace, name, unwritable }: PolicyNotice): ObjectEvent {
  return policyEvent(`${namespace}/${name}`, 'InvalidTargetRef', unwritable.join(' '));
}

/**
 * The Events of hints, one for all of an object: many would use up what an object may have, and what is worse would be
 * dropped. Cluster-scoped objects have none: their Events would be in the namespace `default`, unread.
 */
export function hintEvents(hints: readonly Hint[]): readonly ObjectEvent[] {
  const ofObjects = Map.groupBy(
    hints.filter(({ key }) => key.includes('/')),
    ({ kind, key }) => `${kind} ${key}`,
  );
  return [...ofObjects.values()].flatMap((some) => {
    const note = some.map(({ field, message }) => (field === '' ? message : `${field}: ${message}`)).join(' ');
    return some.slice(0, 1).map(({ kind, key }): ObjectEvent => {
      return { kind, key, type: 'Warning', reason: 'PossibleMistake', action: 'Translate', note, reportedBy: 'leader' };
    });
  });
}

/** The Event of keys of a policy that cannot be fetched now. */
export function keyEvent({ namespace, name, failures }: KeyNotice): ObjectEvent {
  return policyEvent(`${namespace}/${name}`, 'KeysNotFetched', failures.join(' '));
}

/**
 * The Event of ancestors without room, with their conditions' reasons. The list is last, since a note may be truncated.
 */
export function ancestorsFullEvent(policy: string, ancestors: PolicyStatus['ancestors']): ObjectEvent {
  const names = ancestors.map(({ ancestorRef, conditions }) => `${refText(ancestorRef)} (${reasonsText(conditions)})`);
  const note = `Other controllers' entries fill status.ancestors. That changes nothing of what is enforced, but there is no room to tell of: ${names.join(', ')}.`;
  return policyEvent(policy, 'AncestorsFull', note);
}

function refText({ kind, name, sectionName }: AncestorRef): string {
  return sectionName === undefined ? `${kind} ${name}` : `${kind} ${name}, section ${sectionName}`;
}

function reasonsText(conditions: readonly Condition[]): string {
  return conditions.map(({ reason }) => reason).join(', ');
}

function policyEvent(key: string, reason: string, note: string): ObjectEvent {
  return { kind: 'MCPAuthPolicy', key, type: 'Warning', reason, action: 'Translate', note, reportedBy: 'leader' };
}
