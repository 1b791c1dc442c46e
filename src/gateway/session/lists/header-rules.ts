import type { Clock, Logger } from '../../../edges.ts';
import type { JsonObject } from '../../../json/json.ts';
import { shortened } from '../../../json/quoted.ts';
import { LogThrottle } from '../../../rate/log-throttle.ts';
import { declaredIn } from '../../rpc/param-headers.ts';

/**
 * The rules of `x-mcp-header` in schemas of tools. Clients over HTTP must do without a tool that breaks them, and
 * without it alone (MCP 2026-07-28, Streamable HTTP, Schema Extension). All sessions share this: the log has a line for
 * a target, not for a list.
 */
export interface HeaderRules {
  /** Returns whether a tool of a target keeps the rules. One that does not is logged. */
  isValid(target: string, tool: JsonObject): boolean;
  /** Call when a target was changed or removed. */
  forget(target: string): void;
}

/** Starts without having logged anything. */
export function createHeaderRules(clock: Clock, log: Logger): HeaderRules {
  const throttle = new LogThrottle(clock, log);
  return {
    isValid(target, tool) {
      const declared = declaredIn(tool['inputSchema']);
      if (declared.kind !== 'invalid') return true;
      throttle.failed(target, {
        reason: declared.problem,
        message: 'a tool is left out of lists, because MCP forbids the x-mcp-header in its inputSchema: correct it',
        fields: { target, tool: shortened(String(tool['name'])) },
      });
      return false;
    },
    forget: (target) => throttle.forget(target),
  };
}
