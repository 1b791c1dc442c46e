import type { AllowedNamespaces, Listener, Part } from '../../resources/model.ts';
import { quote, recount } from '../status/conditions.ts';

/** What becomes of one listener. */
export interface ListenerVerdict {
  /** Under which its status stands. Absent when it cannot be read or is not unique: a status is a map by name. */
  readonly name: string | undefined;
  readonly outcome:
    | { readonly accepted: true; readonly allowed: AllowedNamespaces }
    | { readonly accepted: false; readonly reason: Refusal; readonly message: string };
  /** Why it is indistinct from another one; whatever else is wrong with it. */
  readonly conflict: string | undefined;
  /** Route kinds that it lists; this protocol has no routes. */
  readonly routeKinds: readonly string[];
}

/** The reason of `Accepted=False`. */
type Refusal = 'UnsupportedProtocol' | 'UnsupportedValue' | 'HostnameConflict';

const mcpProtocol = 'kgateway.dev/mcp';

/** Judges all listeners of a Gateway: what each is, and which of them cannot be told apart. */
export function judgeListeners(listeners: readonly Part<Listener>[]): readonly ListenerVerdict[] {
  const byName = countEach(listeners.map((listener) => (listener.ok ? readable(listener.value.name) : undefined)));
  const byPort = countEach(listeners.map(mcpPort));
  return listeners.map((listener) => {
    if (!listener.ok) return unnamed(listener.reason);
    const { name } = listener.value;
    if (!name.ok) return unnamed(name.reason);
    const sharing = byName.get(name.value) ?? 1;
    if (sharing > 1) {
      const message = `${sharing} listeners are named "${name.value}", and none of them counts: give each its own name.`;
      return unnamed(message);
    }
    const port = mcpPort(listener);
    const indistinct = port === undefined ? 1 : (byPort.get(port) ?? 1);
    return judgeListener(listener.value, name.value, conflictMessage(port, indistinct));
  });
}

/** The port by which an MCP listener is told apart. Listeners of other protocols are no party to a conflict. */
function mcpPort(listener: Part<Listener>): number | undefined {
  if (!listener.ok || readable(listener.value.protocol) !== mcpProtocol) return undefined;
  return readable(listener.value.port);
}

function conflictMessage(port: number | undefined, indistinct: number): string | undefined {
  if (port === undefined || indistinct < 2) return undefined;
  return `${indistinct} MCP listeners share port ${port} and cannot be told apart: give each its own port.`;
}

/** Nothing but the Gateway's own message can speak of it. */
function unnamed(message: string): ListenerVerdict {
  const outcome = { accepted: false, reason: 'UnsupportedValue', message } as const;
  return { name: undefined, outcome, conflict: undefined, routeKinds: [] };
}

function judgeListener(listener: Listener, name: string, conflict: string | undefined): ListenerVerdict {
  const outcome = whyRefused(listener) ?? conflicting(conflict) ?? allowing(listener);
  return { name, outcome, conflict, routeKinds: listener.routeKinds };
}

function whyRefused(listener: Listener): ListenerVerdict['outcome'] | undefined {
  const { protocol, port, allowed } = listener;
  if (protocol.ok && protocol.value !== mcpProtocol) {
    return { accepted: false, reason: 'UnsupportedProtocol', message: unsupportedProtocol(protocol.value) };
  }
  const faults = [protocol, port, allowed].flatMap((part) => (part.ok ? [] : [part.reason]));
  if (listener.hostname)
    faults.push('hostname is not supported, an MCP listener cannot tell host names apart: remove it.');
  if (listener.tls) faults.push('tls is not supported on an MCP listener: remove it.');
  faults.push(...listener.faults);
  if (faults.length === 0) return undefined;
  return { accepted: false, reason: 'UnsupportedValue', message: recount(faults) };
}

function unsupportedProtocol(protocol: string): string {
  const message = `The protocol ${quote(protocol)} is not supported here`;
  const meant = ['mcp', mcpProtocol].includes(protocol.toLowerCase());
  return meant ? `${message}: did you mean "${mcpProtocol}"?` : `${message}: MCP listeners have "${mcpProtocol}".`;
}

function conflicting(message: string | undefined): ListenerVerdict['outcome'] | undefined {
  return message === undefined ? undefined : { accepted: false, reason: 'HostnameConflict', message };
}

/** Only called when nothing is wrong; an unreadable `allowed` must not become a default. */
function allowing({ allowed }: Listener): ListenerVerdict['outcome'] {
  if (allowed.ok) return { accepted: true, allowed: allowed.value };
  return { accepted: false, reason: 'UnsupportedValue', message: allowed.reason };
}

function readable<T>(part: Part<T>): T | undefined {
  return part.ok ? part.value : undefined;
}

function countEach<T>(values: readonly (T | undefined)[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
