import type { WorldChange } from '../model.ts';
import type { Result } from '../rpc/model.ts';
import { errorCode, implementation, protocolVersions } from '../rpc/protocol.ts';
import { RpcError } from '../rpc/rpc-error.ts';
import { createAccess } from './authorization.ts';
import { createLists, isListMethod } from './lists.ts';
import { createLogLevel } from './log-level.ts';
import type { Audience, Conversation, Exchange, MultiplexParts } from './model.ts';
import { createTraffic } from './notifications.ts';
import { createUses, showAt } from './request-router.ts';
import { createSubscriptions } from './subscriptions.ts';
import type { Health } from './target-failures.ts';
import { createLinks, type Links, type Verdicts } from './upstream-sessions.ts';

/** A {@link Conversation} that is told when the world changes. */
export interface LiveConversation extends Conversation {
  worldChanged(change: WorldChange): void;
}

/** What all conversations share: what was learned about the targets. */
export interface Shared {
  readonly health: Health;
  readonly verdicts: Verdicts;
}

/**
 * What this gateway offers: whatever its targets do. Requests of targets to the client (sampling, elicitation, roots) are
 * not passed on.
 */
const capabilities = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

const listsChanged = [
  'notifications/tools/list_changed',
  'notifications/prompts/list_changed',
  'notifications/resources/list_changed',
] as const;

/** Starts a conversation; targets are connected to when they are first needed. */
export function createConversation(parts: MultiplexParts, shared: Shared, client: Audience): LiveConversation {
  const { health, verdicts } = shared;
  const ended = new AbortController();
  let version: string | undefined;

  /** A client that has not shaken hands yet must not be told anything. */
  const audience: Audience = {
    notify: (...about) => {
      if (version !== undefined) client.notify(...about);
    },
  };
  const access = createAccess(parts);
  const subscriptions = createSubscriptions(access, audience);
  const traffic = createTraffic(health, access, audience);
  const links: Links = createLinks(parts, verdicts, {
    notification(target, method, params) {
      if (method === 'notifications/progress') traffic.progress(target, params);
      else if (method === 'notifications/message') traffic.logMessage(target, params);
      else if (method === 'notifications/resources/updated') {
        subscriptions.updated(target, params, ({ name }) => showAt(target)(name));
      } else if (listsChanged.some((known) => known === method)) audience.notify(method, params);
    },
    connected(target) {
      void restore(target).catch(() => {});
    },
  });
  const lists = createLists(parts, links, health, access);
  const uses = createUses({ access, links, lists, traffic, subscriptions });

  const logLevel = createLogLevel(links, ended.signal);

  /** Asks a target for what the session had asked of an earlier connection, as far as that is still allowed. */
  const restore = async (target: string): Promise<void> => {
    await logLevel.restore(target);
    const link = links.opened().get(target);
    const wanted = subscriptions.permittedAt(target).map(({ params }) => params);
    for (const params of wanted) await link?.request('resources/subscribe', params, ended.signal);
  };

  const own: Readonly<Record<string, (exchange: Exchange) => Result>> = {
    ping: () => ({}),
    initialize({ params }) {
      const asked = params?.['protocolVersion'];
      version = protocolVersions.find((known) => known === asked) ?? protocolVersions[0];
      return { protocolVersion: version, capabilities, serverInfo: { ...implementation } };
    },
    'logging/setLevel'({ params }) {
      if (typeof params?.['level'] !== 'string') throw new RpcError(errorCode.invalidParams, 'Invalid params: level');
      logLevel.set(params);
      return {};
    },
  };

  return {
    protocolVersion: () => version,
    async request(exchange) {
      const { method } = exchange;
      if (isListMethod(method)) return lists.answer(method, exchange);
      const answer = ownMember(own, method) ?? ownMember(uses, method);
      if (answer === undefined) throw new RpcError(errorCode.methodNotFound, 'Method not found');
      return answer(exchange);
    },
    worldChanged({ targets, configs }) {
      links.drop(targets);
      const visible = targets.length > 0 || (parts.list === 'filtered' && configs.length > 0);
      if (visible) for (const method of listsChanged) audience.notify(method);
    },
    async close() {
      ended.abort(new Error('the session has ended'));
      await links.close();
    },
  };
}

/** Methods come from outside, and `constructor` is none. */
function ownMember<T>(table: Readonly<Record<string, T>>, key: string): T | undefined {
  return Object.hasOwn(table, key) ? table[key] : undefined;
}
