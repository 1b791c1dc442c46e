import { within } from '../../net/deadline.ts';
import { callerKey } from '../callers.ts';
import type { Caller } from '../model.ts';
import type { TargetMemory } from '../upstream/model.ts';
import type { Authorization } from './decisions/authorization.ts';
import type { ListTurns } from './lists/list-turns.ts';
import type { SessionParts } from './model.ts';
import type { UpstreamSessions } from './upstream-sessions.ts';

/** Milliseconds for the handshakes with targets whose instructions are not known. */
const greetTimeout = 2_000;

/** Milliseconds in which no session waits for a target again whose handshake was not complete, or failed. */
const pause = 30_000;

/** Targets whose instructions are told, and characters of all of them: a model reads them with every conversation. */
const maxTargets = 32;
const maxLength = 32 * 1024;

/** Dependencies of the instructions in one session. */
export interface InstructionsParts extends Pick<SessionParts, 'clock'> {
  readonly authorization: Pick<Authorization, 'allowsAnythingOf'>;
  readonly upstreams: Pick<UpstreamSessions, 'get' | 'targetNames'>;
  readonly memories: ReadonlyMap<string, TargetMemory>;
  /** Of callers: beginning to connect to 32 targets takes 2 ms, and hundreds of clients may come at once. */
  readonly sharedListing: { readonly turns: Pick<ListTurns, 'toMake'> };
}

/**
 * Creates the function that joins the instructions of the targets at which a caller may use something, each below the
 * target's name. What targets said in their last handshake counts; those that had none yet are connected to, in the
 * session of the client, and left out when they do not answer in time. For a while sessions do not wait for them again:
 * their instructions are told once any request has connected to them.
 */
export function createInstructions({ clock, authorization, upstreams, memories, sharedListing }: InstructionsParts) {
  return async (caller: Caller, signal: AbortSignal): Promise<string | undefined> => {
    const targets = upstreams
      .targetNames()
      .filter((target) => authorization.allowsAnythingOf(target, caller))
      .slice(0, maxTargets);
    const unknown = targets.filter((target) => {
      const { handshake, notAwaitedUntil = 0 } = memories.get(target) ?? {};
      return handshake === undefined && notAwaitedUntil <= clock.monotonic();
    });
    const greet = async (until: AbortSignal): Promise<void> => {
      await sharedListing.turns.toMake(callerKey(caller));
      await Promise.allSettled(unknown.map((target) => upstreams.get(target)?.capabilities(until)));
    };
    if (unknown.length > 0) {
      await within({ clock, milliseconds: greetTimeout, signal }, greet).catch(ignoreLate);
      // That a client has left says nothing of the targets.
      const awaited = signal.aborted ? [] : unknown.flatMap((target) => memories.get(target) ?? []);
      for (const memory of awaited) memory.notAwaitedUntil = clock.monotonic() + pause;
    }
    const said = targets.flatMap((target) => {
      // The rules may have changed while targets were connected to.
      if (!authorization.allowsAnythingOf(target, caller)) return [];
      const text = memories.get(target)?.handshake?.instructions;
      return text === undefined || text === '' ? [] : [{ target, text }];
    });
    const [only, ...others] = said;
    if (only === undefined) return undefined;
    if (others.length === 0 && upstreams.targetNames().length === 1) return only.text;
    let room = maxLength;
    const sections = said.flatMap(({ target, text }) => {
      const section = `# ${target}\n\n${text}`;
      room -= section.length;
      return room < 0 ? [] : [section];
    });
    return sections.join('\n\n');
  };
}

/** The others go without those that are late. */
function ignoreLate(): void {}
