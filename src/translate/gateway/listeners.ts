import { quoted } from '../../json/quoted.ts';
import type { Listener, Parsed, RouteNamespaces } from '../../resources/model.ts';
import { joinSentences } from '../messages.ts';

/** The evaluation of one listener. */
export interface ListenerResult {
  /** The name of its status; undefined when it is invalid or not unique: `status.listeners` is a map by name. */
  readonly name: string | undefined;
  readonly outcome:
    | { readonly accepted: true; readonly namespaces: RouteNamespaces }
    | { readonly accepted: false; readonly reason: RejectionReason; readonly message: string };
  /** The message of the condition `Conflicted`, independent of other errors; undefined without a conflict. */
  readonly conflict: string | undefined;
  /** The kinds in `allowedRoutes.kinds`; this protocol has no routes. */
  readonly routeKinds: readonly string[];
}

/** The reason of `Accepted=False`. */
type RejectionReason = 'UnsupportedProtocol' | 'UnsupportedValue' | 'HostnameConflict';

const mcpProtocol = 'kgateway.dev/mcp';

/** Evaluates all listeners of a Gateway: each on its own, and the conflicts between them. */
export function evaluateListeners(listeners: readonly Parsed<Listener>[]): readonly ListenerResult[] {
  const byName = countEach(listeners.map((listener) => (listener.ok ? valueIfValid(listener.value.name) : undefined)));
  const byPort = countEach(listeners.map(mcpPort));
  return listeners.map((listener) => {
    if (!listener.ok) return unnamed(listener.reason);
    const { name } = listener.value;
    if (!name.ok) return unnamed(name.reason);
    const sharing = byName.get(name.value) ?? 1;
    if (sharing > 1) {
      const message = `${sharing} listeners are named ${quoted(name.value)}, and none of them counts: give each its own name.`;
      return unnamed(message);
    }
    const port = mcpPort(listener);
    const indistinct = port === undefined ? 1 : (byPort.get(port) ?? 1);
    return evaluateListener(listener.value, name.value, conflictMessage(port, indistinct));
  });
}

/** The port on which an MCP listener may conflict. Listeners of other protocols do not conflict. */
function mcpPort(listener: Parsed<Listener>): number | undefined {
  if (!listener.ok || valueIfValid(listener.value.protocol) !== mcpProtocol) return undefined;
  return valueIfValid(listener.value.port);
}

function conflictMessage(port: number | undefined, indistinct: number): string | undefined {
  if (port === undefined || indistinct < 2) return undefined;
  return `${indistinct} MCP listeners share port ${port} and cannot be told apart: give each its own port.`;
}

/** A listener without a status of its own: its message becomes part of the Gateway's. */
function unnamed(message: string): ListenerResult {
  const outcome = { accepted: false, reason: 'UnsupportedValue', message } as const;
  return { name: undefined, outcome, conflict: undefined, routeKinds: [] };
}

function evaluateListener(listener: Listener, name: string, conflict: string | undefined): ListenerResult {
  const outcome = rejection(listener) ?? conflictRejection(conflict) ?? acceptance(listener);
  return { name, outcome, conflict, routeKinds: listener.routeKinds };
}

function rejection(listener: Listener): ListenerResult['outcome'] | undefined {
  const { protocol, port, namespaces } = listener;
  if (protocol.ok && protocol.value !== mcpProtocol) {
    return { accepted: false, reason: 'UnsupportedProtocol', message: unsupportedProtocol(protocol.value) };
  }
  const errors = [protocol, port, namespaces].flatMap((field) => (field.ok ? [] : [field.reason]));
  if (listener.hasHostname)
    errors.push('hostname is not supported, an MCP listener cannot tell host names apart: remove it.');
  if (listener.hasTls) errors.push('tls is not supported on an MCP listener: remove it.');
  errors.push(...listener.errors);
  if (errors.length === 0) return undefined;
  return { accepted: false, reason: 'UnsupportedValue', message: joinSentences(errors) };
}

function unsupportedProtocol(protocol: string): string {
  const message = `The protocol ${quoted(protocol)} is not supported here`;
  const meant = ['mcp', mcpProtocol].includes(protocol.toLowerCase());
  return meant ? `${message}: did you mean "${mcpProtocol}"?` : `${message}: MCP listeners have "${mcpProtocol}".`;
}

function conflictRejection(message: string | undefined): ListenerResult['outcome'] | undefined {
  return message === undefined ? undefined : { accepted: false, reason: 'HostnameConflict', message };
}

/** Fails closed: `rejection` has refused invalid namespaces before, and they never become a default. */
function acceptance({ namespaces }: Listener): ListenerResult['outcome'] {
  if (namespaces.ok) return { accepted: true, namespaces: namespaces.value };
  return { accepted: false, reason: 'UnsupportedValue', message: namespaces.reason };
}

function valueIfValid<T>(parsed: Parsed<T>): T | undefined {
  return parsed.ok ? parsed.value : undefined;
}

function countEach<T>(values: readonly (T | undefined)[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) if (value !== undefined) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}
