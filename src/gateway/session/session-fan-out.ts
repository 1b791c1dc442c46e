import { setImmediate as nextIteration } from 'node:timers/promises';
import type { Clock, Logger } from '../../edges.ts';
import { reasonOf } from '../../net/errors.ts';
import { inTurns } from '../../rate/turns.ts';
import type { ConfigChange } from '../model.ts';
import type { ListMethod } from './lists/list-pages.ts';

/** A session, as far as it is told of what concerns all. */
interface Follower {
  configChanged(change: ConfigChange): void;
  targetRecovered(target: string, method: ListMethod): void;
}

/**
 * Tells all sessions of what concerns all, in turns: three notifications take 0.1 ms of a session with a stream, and
 * there are thousands. Nothing of what may be late is a decision: messages are decided when they are delivered, and
 * requests when they arrive, by the configuration of then.
 */
export interface SessionFanOut {
  changed(change: ConfigChange): void;
  recovered(target: string, methods: readonly ListMethod[]): void;
}

/** What sessions are told together. */
class News {
  readonly #targets = new Set<string>();
  readonly #rbacConfigs = new Set<string>();
  readonly #recovered = new Map<string, Set<ListMethod>>();

  changed({ targets, rbacConfigs }: ConfigChange): void {
    for (const target of targets) this.#targets.add(target);
    for (const config of rbacConfigs) this.#rbacConfigs.add(config);
  }

  recovered(target: string, methods: readonly ListMethod[]): void {
    const known = this.#recovered.get(target) ?? new Set();
    this.#recovered.set(target, known);
    for (const method of methods) known.add(method);
  }

  /** Tells one session in each step, unless it has ended meanwhile. */
  *tell(sessions: ReadonlySet<Follower>): Generator<undefined, void> {
    const change = { targets: [...this.#targets], rbacConfigs: [...this.#rbacConfigs] };
    const isChange = change.targets.length + change.rbacConfigs.length > 0;
    for (const session of [...sessions]) {
      if (!sessions.has(session)) continue;
      if (isChange) session.configChanged(change);
      for (const [target, methods] of this.#recovered) {
        for (const method of methods) session.targetRecovered(target, method);
      }
      yield undefined;
    }
  }
}

/**
 * Tells as many as take some milliseconds at once, and the others in further iterations of the event loop. What happens
 * meanwhile is told together, when all know what was before: so one round waits at most.
 */
export function createSessionFanOut(
  sessions: ReadonlySet<Follower>,
  { clock, log }: { readonly clock: Clock; readonly log: Logger },
): SessionFanOut {
  let next: News | undefined;
  let isTelling = false;
  const tell = async (): Promise<void> => {
    if (isTelling) return;
    isTelling = true;
    try {
      for (let news = next; news !== undefined; news = next) {
        next = undefined;
        await inTurns(news.tell(sessions), clock, nextIteration);
      }
    } finally {
      isTelling = false;
    }
  };
  const add = (addTo: (news: News) => void): void => {
    next ??= new News();
    addTo(next);
    tell().catch((error: unknown) => {
      log.error('clients could not be told of a change', { error: reasonOf(error) });
    });
  };
  return {
    changed: (change) => add((news) => news.changed(change)),
    recovered: (target, methods) => add((news) => news.recovered(target, methods)),
  };
}
