import { setImmediate as nextIteration } from 'node:timers/promises';
import { ruleChanges } from '../../authz/authz.ts';
import type { RuleChanges } from '../../authz/model.ts';
import type { Clock, Logger } from '../../edges.ts';
import type { Config } from '../../gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { reasonOf } from '../../net/errors.ts';
import { inTurns } from '../../rate/turns.ts';
import type { ConfigChange, GatewayConfig } from '../model.ts';
import type { ListMethod } from './lists/list-pages.ts';

/** A change of the configuration, as sessions are told of it. */
export interface FollowedChange {
  readonly targets: readonly string[];
  /** `undefined`: none. */
  readonly rules: RuleChanges | undefined;
}

/** A session, as far as it is told of what concerns all. */
interface Follower {
  configChanged(change: FollowedChange): void;
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
  /** What each Config was that has changed. */
  readonly #rbacConfigs = new Map<string, Config | undefined>();
  readonly #recovered = new Map<string, Set<ListMethod>>();

  targetsChanged(targets: readonly string[]): void {
    for (const target of targets) this.#targets.add(target);
  }

  configChanged(name: string, before: Config | undefined): void {
    if (!this.#rbacConfigs.has(name)) this.#rbacConfigs.set(name, before);
  }

  recovered(target: string, methods: readonly ListMethod[]): void {
    const known = this.#recovered.get(target) ?? new Set();
    this.#recovered.set(target, known);
    for (const method of methods) known.add(method);
  }

  /** Tells one session in each step, unless it has ended meanwhile. */
  *tell(sessions: ReadonlySet<Follower>, config: FollowedConfig): Generator<undefined, void> {
    const change = { targets: [...this.#targets], rules: this.#rules(config) };
    const isChange = change.targets.length > 0 || change.rules !== undefined;
    for (const session of [...sessions]) {
      if (!sessions.has(session)) continue;
      if (isChange) session.configChanged(change);
      for (const [target, methods] of this.#recovered) {
        for (const method of methods) session.targetRecovered(target, method);
      }
      yield undefined;
    }
  }

  /** Compares when somebody asks: where lists are not filtered, rules change nothing in them. */
  #rules({ rbacConfigs }: FollowedConfig): RuleChanges | undefined {
    if (this.#rbacConfigs.size === 0) return undefined;
    let changes: RuleChanges | undefined;
    const compared = (): RuleChanges => {
      const pairs = Array.from(this.#rbacConfigs, ([name, before]) => [before, rbacConfigs.get(name)] as const);
      changes ??= ruleChanges(pairs);
      return changes;
    };
    return { concern: (kind, claims) => compared().concern(kind, claims) };
  }
}

type FollowedConfig = Pick<GatewayConfig, 'rbacConfigs'>;

/**
 * Tells as many as take some milliseconds at once, and the others in further iterations of the event loop. What happens
 * meanwhile is told together, when all know what was before: so one round waits at most.
 */
export function createSessionFanOut(
  sessions: ReadonlySet<Follower>,
  { config, clock, log }: { readonly config: FollowedConfig; readonly clock: Clock; readonly log: Logger },
): SessionFanOut {
  /** The Configs that the changes so far have left. */
  const known = new Map(config.rbacConfigs);
  let next: News | undefined;
  let isTelling = false;
  const tell = async (): Promise<void> => {
    if (isTelling) return;
    isTelling = true;
    try {
      for (let news = next; news !== undefined; news = next) {
        next = undefined;
        await inTurns(news.tell(sessions, config), clock, nextIteration);
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
    changed: ({ targets, rbacConfigs }) =>
      add((news) => {
        news.targetsChanged(targets);
        for (const name of rbacConfigs) {
          news.configChanged(name, known.get(name));
          const now = config.rbacConfigs.get(name);
          if (now === undefined) known.delete(name);
          else known.set(name, now);
        }
      }),
    recovered: (target, methods) => add((news) => news.recovered(target, methods)),
  };
}
