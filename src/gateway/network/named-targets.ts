import type { Stop } from '../../edges.ts';
import { shortened } from '../../json/quoted.ts';
import type { LogThrottle } from '../../rate/log-throttle.ts';
import type { GatewayConfig } from '../model.ts';

/** Settings that are by the name of a target, which may be misspelt. */
export interface NamedTargets {
  /** What names that no target has are for, as the beginning of a sentence. */
  readonly what: string;
  names(): Iterable<string>;
}

/** Warns of settings for targets that do not exist, whenever targets have changed, until there are none. */
export function warnOfUnknownTargets(
  config: Pick<GatewayConfig, 'targets' | 'subscribe'>,
  throttle: LogThrottle,
  settings: readonly NamedTargets[],
): Stop {
  return config.subscribe((change) => {
    if (change.targets.length === 0) return;
    for (const { what, names } of settings) {
      const unknown = [...names()].filter((name) => !config.targets.has(name));
      const message = `${what} for targets that do not exist: compare the names with /targets`;
      if (unknown.length === 0) throttle.forget(what);
      else throttle.failed(what, { reason: shortened(unknown.join(', ')), message });
    }
  });
}
