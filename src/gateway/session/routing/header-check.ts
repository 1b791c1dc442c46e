import type { Clock } from '../../../edges.ts';
import { isJsonObject } from '../../../json/json.ts';
import { untilAborted, within } from '../../../net/deadline.ts';
import type { MessageSize } from '../../rpc/model.ts';
import { declaredIn, type ParamHeader, withListed } from '../../rpc/param-headers.ts';
import { contradictionOf } from '../../rpc/repeated-headers.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { weightOf } from '../../upstream/answer-limits.ts';
import { BudgetLease } from '../../upstream/budget-lease.ts';
import { CircuitOpenError } from '../../upstream/health/target-circuit.ts';
import type { TargetFailures } from '../../upstream/health/target-failures.ts';
import type { UpstreamSession } from '../../upstream/model.ts';
import { listTimeout, pagedLists, readPages } from '../lists/list-pages.ts';
import type { ClientRequest } from '../model.ts';
import type { QualifiedName } from '../names/qualified-names.ts';
import type { UpstreamState } from '../upstream-sessions.ts';

/** Dependencies of the check. */
interface HeaderCheckParts {
  readonly upstreamState: Pick<UpstreamState, 'memories' | 'budget' | 'kept'>;
  readonly failures: TargetFailures;
  readonly clock: Clock;
}

/** A tool that is called. */
interface CalledTool extends QualifiedName {
  readonly upstream: UpstreamSession;
}

/**
 * Servers behind the gateway, and proxies before it, may go by a header: one that contradicts the arguments is refused,
 * and so is a call without one that its tool declares (MCP 2026-07-28, Streamable HTTP). When the tools of the target
 * were not listed yet, they are, since nothing else says which headers a call needs. A target of that revision itself
 * refuses a call without one.
 *
 * @throws RpcError
 */
export type HeaderCheck = (tool: CalledTool, request: ClientRequest) => Promise<void>;

/** Creates the check of one session. Clients of earlier revisions have no such headers. */
export function createHeaderCheck(parts: HeaderCheckParts): HeaderCheck {
  const { memories } = parts.upstreamState;
  /** By target, while its tools are listed: calls that come at once wait for the same list. */
  const running = new Map<string, Promise<readonly unknown[]>>();

  const list = (tool: CalledTool): Promise<readonly unknown[]> => {
    const found = running.get(tool.target);
    if (found !== undefined) return found;
    const listing = listTools(parts, tool).finally(() => running.delete(tool.target));
    running.set(tool.target, listing);
    return listing;
  };

  const isUnknown = ({ target }: CalledTool): boolean => memories.get(target)?.areToolsListed !== true;
  /** What cannot be connected to is asked for its list, which fails for the same reason or says what is needed. */
  const checksItself = async ({ target, upstream }: CalledTool, signal: AbortSignal): Promise<boolean> => {
    await upstream.capabilities(signal).catch(() => {});
    return memories.get(target)?.transports.get('stateless-http') === 'stateless-http';
  };

  const declaredBy = async (tool: CalledTool, signal: AbortSignal): Promise<readonly ParamHeader[] | undefined> => {
    if (isUnknown(tool)) await untilAborted(signal, list(tool));
    const known = memories.get(tool.target)?.paramHeaders;
    const declared = known?.byTool.get(tool.name);
    if (known?.isCut !== true || declared !== undefined) return declared;
    return headersIn(await untilAborted(signal, list(tool)), tool.name);
  };

  return async (tool, { sender, params, signal }) => {
    const given = sender.paramHeaders;
    if (given === undefined) return;
    if (isUnknown(tool) && Object.keys(given).length === 0 && (await checksItself(tool, signal))) return;
    const declared = await declaredBy(tool, signal);
    const header = declared && contradictionOf(declared, params?.['arguments'], given);
    if (header === undefined) return;
    throw new RpcError(errorCode.headerMismatch, `Header mismatch: ${header} does not say what the arguments say`);
  };
}

/** Finds what one of the listed tools declares. */
function headersIn(tools: readonly unknown[], name: string): readonly ParamHeader[] | undefined {
  const tool = tools.findLast((listed) => isJsonObject(listed) && listed['name'] === name);
  const declared = isJsonObject(tool) ? declaredIn(tool['inputSchema']) : undefined;
  return declared?.kind === 'headers' ? declared.headers : undefined;
}

/** @throws RpcError when the target does not answer: nothing is known of the header then */
async function listTools(
  { clock, upstreamState, failures }: HeaderCheckParts,
  { target, upstream }: CalledTool,
): Promise<readonly unknown[]> {
  const lease = new BudgetLease(upstreamState.budget.lists, target);
  const hold = { grow: (size: MessageSize) => lease.grow(weightOf(size)) };
  const forgottenBefore = upstreamState.memories.get(target)?.listsForgotten;
  try {
    const { entries: tools } = await within({ clock, milliseconds: listTimeout }, (signal) =>
      readPages(upstream, pagedLists['tools/list'], { params: {}, signal }, hold),
    );
    const memory = upstreamState.memories.get(target);
    if (memory === undefined) return tools;
    // Also of one that has no list of tools.
    if (memory.listsForgotten === forgottenBefore) memory.areToolsListed = true;
    // All of them are here at once, whatever was forgotten while they were listed.
    if (memory.paramHeaders?.isCut === true) {
      memory.paramHeaders = withListed(undefined, tools, upstreamState.kept.keeper(target, 'headers'));
    }
    return tools;
  } catch (error) {
    if (error instanceof CircuitOpenError) throw new RpcError(errorCode.unavailable, error.message);
    failures.failed(target, 'tools/list', error);
    const message = `Target ${target} does not list its tools, so that no header can be checked`;
    throw new RpcError(errorCode.unavailable, message);
  } finally {
    lease.release();
  }
}
