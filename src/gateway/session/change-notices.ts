import type { PrimitiveKind } from '../../authz/model.ts';
import type { Clock, Stop } from '../../edges.ts';
import { hasSameClaims, isCurrent } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { Authorization } from './decisions/authorization.ts';
import type { Client, MayReceive, SessionParts } from './model.ts';
import { listChangedMethods } from './notifications.ts';
import type { FollowedChange } from './session-fan-out.ts';

/** Tells the client of one session that its lists may be others after a change of the configuration. */
export interface ChangeNotices {
  /** Call it with each caller who is given a list. */
  listedFor(caller: Caller): void;
  /**
   * Rules change filtered lists of those whose claims they are about, and whoever reads the stream later may be one;
   * targets change lists of callers who may see something of them.
   */
  changed(change: FollowedChange): void;
  readonly close: Stop;
}

interface ChangeNoticesParts extends Pick<SessionParts, 'list'> {
  readonly client: Client;
  readonly authorization: Pick<Authorization, 'seesAnythingOf'>;
  readonly givenLists: GivenLists;
}

/** @param key of a client without handshake, which lists in other sessions than the one with its stream */
export function createChangeNotices(
  { client, authorization, list, givenLists }: ChangeNoticesParts,
  key?: string,
): ChangeNotices {
  const given = givenLists.open(key);
  return {
    listedFor: given.add,
    close: given.close,
    changed({ targets, rules }) {
      const reader = client.reader();
      const ofTargets: MayReceive = (caller) => targets.some((target) => authorization.seesAnythingOf(target, caller));
      for (const method of listChangedMethods) {
        const isAbout = (caller: Caller): boolean =>
          caller.kind === 'principal' && rules?.concern(kindOfList[method], caller.claims) === true;
        const isConcerned = reader === undefined || isAbout(reader) || given.some(isAbout);
        const rulesChanged = list === 'filtered' && rules !== undefined && isConcerned;
        if (targets.length === 0 && !rulesChanged) continue;
        client.notify({ method }, rulesChanged ? () => true : ofTargets);
      }
    },
  };
}

const kindOfList: Readonly<Record<(typeof listChangedMethods)[number], PrimitiveKind>> = {
  'notifications/tools/list_changed': 'tool',
  'notifications/prompts/list_changed': 'prompt',
  'notifications/resources/list_changed': 'resource',
};

/** Callers with other claims who are remembered: a client has a new token every few minutes. */
const maxReaders = 4;

/**
 * Who was given lists, by tokens that are valid. A client that was asked for another scope lists with its new token, and
 * reads its stream with the old one.
 */
class ListReaders {
  readonly #clock: Clock;
  #callers: readonly Caller[] = [];
  #areMore = false;
  /** Sessions that use it. */
  uses = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(caller: Caller): void {
    const others = this.#callers.filter((one) => isCurrent(one, this.#clock) && !hasSameClaims(one, caller));
    this.#areMore ||= others.length === maxReaders;
    this.#callers = [caller, ...others].slice(0, maxReaders);
  }

  /** Returns whether it may be so for one of them. */
  some(isSo: (caller: Caller) => boolean): boolean {
    return this.#areMore || this.#callers.some(isSo);
  }
}

/** Who was given lists in one session, or in all of one client without handshake. */
interface OpenReaders {
  readonly add: (caller: Caller) => void;
  readonly some: (isSo: (caller: Caller) => boolean) => boolean;
  readonly close: Stop;
}

/** Who was given lists in the sessions that are open. */
export interface GivenLists {
  open(key: string | undefined): OpenReaders;
}

/** Starts without a list that was given to anybody. */
export function createGivenLists(clock: Clock): GivenLists {
  const byKey = new Map<string, ListReaders>();
  return {
    open(key) {
      const readers = (key === undefined ? undefined : byKey.get(key)) ?? new ListReaders(clock);
      if (key !== undefined) byKey.set(key, readers);
      readers.uses += 1;
      let isOpen = true;
      return {
        add: (caller) => readers.add(caller),
        some: (isSo) => readers.some(isSo),
        close() {
          if (!isOpen) return;
          isOpen = false;
          readers.uses -= 1;
          if (key !== undefined && readers.uses === 0) byKey.delete(key);
        },
      };
    },
  };
}
