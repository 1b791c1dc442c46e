import type { Params } from '../rpc/model.ts';
import { errorCode } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import type { Upstream, Verdict } from '../upstream/model.ts';
import { createUpstream } from '../upstream/upstream-session.ts';
import type { MultiplexParts } from './model.ts';
import { bytewise } from './qualified-names.ts';

/** The ways of one session to all targets of this moment. */
export interface Links {
  /** `undefined` when there is no such target. */
  of(target: string): Upstream | undefined;
  /** The names of all targets, in the order in which lists show them. */
  names(): readonly string[];
  /** The links that were needed so far. */
  opened(): ReadonlyMap<string, Upstream>;
  /** Ends the links to targets that were removed or changed, and what is in flight there. */
  drop(targets: readonly string[]): void;
  close(): Promise<void>;
}

/** What the links tell their session. */
export interface LinkEvents {
  notification(target: string, method: string, params: Params | undefined): void;
  /** A handshake with this target is done. */
  connected(target: string): void;
}

/** Which wire each target speaks, by its name. Shared by all sessions, so that only the first one has to try. */
export type Verdicts = Map<string, Verdict>;

/** Opens no connection: an {@link Upstream} does when it is used. */
export function createLinks(parts: MultiplexParts, verdicts: Verdicts, events: LinkEvents): Links {
  const { world } = parts;
  const links = new Map<string, Upstream>();

  const open = (name: string): Upstream | undefined => {
    const target = world.targets.get(name);
    if (target === undefined || !isNameable(name)) return undefined;
    const verdict = verdicts.get(name) ?? { wire: undefined };
    verdicts.set(name, verdict);
    const link = createUpstream({
      target,
      fetch: parts.fetchFor(target),
      clock: parts.clock,
      random: parts.random,
      verdict,
      notification: (method, params) => events.notification(name, method, params),
      connected: () => events.connected(name),
    });
    links.set(name, link);
    return link;
  };

  return {
    of: (name) => links.get(name) ?? open(name),
    names: () => [...world.targets.keys()].filter(isNameable).sort(bytewise),
    opened: () => links,
    drop(targets) {
      for (const name of targets) {
        const link = links.get(name);
        links.delete(name);
        void link?.close(new RpcError(errorCode.unavailable, `Target ${name} was removed or changed`));
      }
    },
    async close() {
      const ending = [...links.values()].map((link) => link.close(new Error('the session has ended')));
      links.clear();
      await Promise.all(ending);
    },
  };
}

/** Names with a colon would be split elsewhere than they were joined; no control plane should send one. */
function isNameable(target: string): boolean {
  return target !== '' && !target.includes(':');
}
