import { createConversation, type LiveConversation, type Shared } from './mcp-session.ts';
import type { Audience, Conversation, MultiplexParts } from './model.ts';
import { createHealth } from './target-failures.ts';

/** All targets as one MCP server. */
export interface Multiplexer {
  /** Starts the conversation of one client session. */
  open(audience: Audience): Conversation;
  /** Ends every conversation; settles when the targets are told. */
  stop(): Promise<void>;
}

/** Follows the world: what is asked is answered by the targets and rules of that moment. */
export function createMultiplexer(parts: MultiplexParts): Multiplexer {
  const shared: Shared = { health: createHealth(parts.log), verdicts: new Map() };
  const conversations = new Set<LiveConversation>();
  const stopFollowing = parts.world.subscribe((change) => {
    for (const target of change.targets) {
      shared.health.forget(target);
      shared.verdicts.delete(target);
    }
    for (const conversation of conversations) conversation.worldChanged(change);
  });

  return {
    open(audience) {
      const conversation = createConversation(parts, shared, audience);
      conversations.add(conversation);
      return {
        ...conversation,
        close() {
          conversations.delete(conversation);
          return conversation.close();
        },
      };
    },
    async stop() {
      stopFollowing();
      await Promise.all([...conversations].map((conversation) => conversation.close()));
      conversations.clear();
    },
  };
}
