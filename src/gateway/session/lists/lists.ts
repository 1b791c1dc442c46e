import type { JsonObject } from '../../../json/json.ts';
import type { Params, Result } from '../../rpc/model.ts';
import { statelessVersion } from '../../rpc/protocol.ts';
import { errorCode, RpcError } from '../../rpc/rpc-error.ts';
import { changed } from '../../rpc/source-text.ts';
import type { TargetCircuit } from '../../upstream/health/target-circuit.ts';
import type { TargetStates } from '../../upstream/health/target-states.ts';
import { type Freshness, forCaller } from '../freshness.ts';
import type { ClientRequest, SessionParts } from '../model.ts';
import type { NamedKind } from '../names/name-index.ts';
import { type QualifiedName, qualify } from '../names/qualified-names.ts';
import { createListCollector, type ListCollector, type ListCollectorParts, listKinds } from './list-collector.ts';
import { mergedMeta } from './list-meta.ts';
import { type ListMethod, pagedLists } from './list-pages.ts';
import { shownMetas, type VisibleEntriesParts, visibleEntries } from './visible-entries.ts';

/** The merged lists of all targets. */
export interface Lists {
  /** Handles a list request: returns all entries that are visible to the caller, on one page. */
  handle(method: ListMethod, request: ClientRequest): Promise<Result>;
  /**
   * Finds what the caller may use under a name that does not say its target. Lists the targets that are not known, or
   * all when none has it: those at which the caller may use something of the kind.
   */
  find(
    kind: NamedKind,
    exposed: string,
    request: Pick<ClientRequest, 'caller' | 'signal'>,
  ): Promise<readonly QualifiedName[]>;
  /**
   * Returns the target that owns a `ui://` URI. Lists the tools of targets that are not known, or when none owns it.
   */
  ownerOf(uri: string, request: Pick<ClientRequest, 'caller' | 'signal'>): Promise<string | undefined>;
  readonly recovered: ListCollector['recovered'];
}

/** Dependencies of the lists of one session. */
export interface ListsParts extends ListCollectorParts {
  readonly config: VisibleEntriesParts['config'];
  readonly list: SessionParts['list'];
  readonly states: Pick<TargetStates, 'of'>;
  readonly circuit: Pick<TargetCircuit, 'isLeftOut' | 'refusal'>;
}

/** A list that is the same for all callers may be kept for as long as its targets say, and given to others. */
function freshnessFor(list: SessionParts['list'], freshness: Freshness): Freshness {
  return list === 'all' ? freshness : forCaller(freshness);
}

/**
 * The `_meta` member of a list that names the targets that it lacks, of those that the caller may see: they do not
 * answer now. `list_changed` follows when they do.
 */
const missingTargetsKey = 'kgateway.dev/missingTargets';

/**
 * The one that says how each of them is: its state, since when, and a message for one that cannot be reached. The last
 * error is not for callers: it is the target's text, or has its address.
 */
const missingStatesKey = 'kgateway.dev/missingTargetStates';

/** Starts without knowing any list. */
export function createLists(parts: ListsParts): Lists {
  const { upstreams, authorization, uiOwners, names } = parts;
  const { collect, recovered } = createListCollector(parts);

  /** Who owns what does not depend on the caller, so that targets are asked in no session of the caller. */
  const ask = async (
    method: ListMethod,
    targets: readonly string[],
    { caller, signal }: Pick<ClientRequest, 'caller' | 'signal'>,
  ): Promise<void> => {
    if (targets.length === 0) return;
    using _ = await collect(method, { params: {}, signal, caller, reachable: new Set(), usable: 'all' }, targets);
  };

  return {
    async ownerOf(uri, request) {
      const unknown = upstreams.targetNames().filter((target) => !uiOwners.isKnown(target));
      await ask('tools/list', unknown, request);
      if (uiOwners.claimants(uri).length === 0) await ask('tools/list', upstreams.targetNames(), request);
      const [owner, ...others] = uiOwners.claimants(uri);
      return others.length === 0 ? owner : undefined;
    },
    async find(kind, exposed, request) {
      const method = kind === 'tool' ? 'tools/list' : 'prompts/list';
      const reachable = authorization.reachable(kind, request.caller);
      const targets = upstreams.targetNames().filter((target) => reachable === 'all' || reachable.has(target));
      const usable = (): readonly QualifiedName[] =>
        names.index
          .find(kind, exposed)
          .filter((name) => authorization.allows({ kind, name: qualify(name) }, request.caller));
      const unknown = targets.filter((target) => !names.index.isKnown(kind, target));
      await ask(method, unknown, request);
      if (usable().length === 0 && unknown.length < targets.length) await ask(method, targets, request);
      return usable();
    },
    async handle(method, { params, caller, signal }) {
      const kind = listKinds[method];
      // The first page contains everything, so the gateway has never returned a cursor.
      if (params?.['cursor'] !== undefined) throw new RpcError(errorCode.invalidParams, 'Invalid cursor');
      const reachable = authorization.reachable(kind.use, caller);
      const request = { params: paramsForTargets(params), signal, caller, reachable, usable: reachable };
      const all = upstreams.targetNames();
      // What the caller may not use is not shown in a filtered list, so that there is no reason to ask for it.
      const asked = parts.list === 'all' || reachable === 'all' ? all : all.filter((target) => reachable.has(target));
      using collected = await collect(method, request, asked);
      const { shown, list } = await visibleEntries(parts, kind, caller, collected);
      const missing = collected.missing.filter((target) => authorization.seesAnythingOf(target, caller));
      const meta = mergedMeta(shownMetas(collected, shown), asked.length === 1);
      const _meta = missing.length === 0 ? meta : { ...meta, ...warningOf(missing, parts) };
      return {
        [pagedLists[method].member]: list,
        ...(Object.keys(_meta).length === 0 ? {} : { _meta }),
        ...(parts.handshake.version() === statelessVersion ? freshnessFor(parts.list, collected.freshness) : {}),
      };
    },
    recovered,
  };
}

function warningOf(missing: readonly string[], { states, circuit }: ListsParts): JsonObject {
  const stateOf = (target: string): JsonObject => {
    const { state, since } = states.of(target);
    const message = circuit.refusal(target)?.message;
    return { state, since, ...(message !== undefined && { message }) };
  };
  const found = Object.fromEntries(missing.map((target) => [target, stateOf(target)] as const));
  return { [missingTargetsKey]: missing, [missingStatesKey]: found };
}

/**
 * Characters of the parameters of a list, which are sent to every target. A request for a list has a cursor, and in
 * `_meta` perhaps the ids of a trace.
 */
const maxParamsLength = 16 * 1024;

/** @throws RpcError when they are too large */
function paramsForTargets(params: Params | undefined): Params {
  const forwarded = withoutProgressToken(params);
  if (JSON.stringify(forwarded).length <= maxParamsLength) return forwarded;
  const message = `Invalid params: those of a list go to every target, and are larger than ${maxParamsLength} characters`;
  throw new RpcError(errorCode.invalidParams, message);
}

/** Removes the client's progress token: the progress of one target is not that of the merged list. */
function withoutProgressToken(params: Params = {}): Params {
  return changed(params, [{ path: ['_meta', 'progressToken'] }]);
}
