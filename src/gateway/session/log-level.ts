import type { Params } from '../rpc/model.ts';
import type { Links } from './upstream-sessions.ts';

/** How much a client wants to hear of the targets' logs. */
export interface LogLevel {
  /** `logging/setLevel` of the client. A target that cannot be told now is told after its next handshake. */
  set(params: Params): void;
  /** Tells one target what was set. */
  restore(target: string): Promise<void>;
}

/** Until the client sets a level, every target decides for itself. */
export function createLogLevel(links: Links, signal: AbortSignal): LogLevel {
  let level: Params | undefined;

  const restore: LogLevel['restore'] = async (target) => {
    const link = links.opened().get(target);
    if (link === undefined || level === undefined) return;
    if (!Object.hasOwn(await link.capabilities(signal), 'logging')) return;
    await link.request('logging/setLevel', level, signal);
  };

  return {
    restore,
    set(params) {
      level = params;
      for (const target of links.opened().keys()) void restore(target).catch(() => {});
    },
  };
}
