import { Client, SSEClientTransport } from '@modelcontextprotocol/client';

/** What an agent sees of a call: what the tool returned, or how the gateway refused. */
export type Outcome =
  | { readonly kind: 'returned'; readonly text: string }
  | { readonly kind: 'refused'; readonly message: string };

/** An MCP client of the gateway, as an agent has one. */
export interface Agent {
  tools(): Promise<readonly string[]>;
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Outcome>;
  close(): Promise<void>;
}

/** Connects over HTTP+SSE, as the guide's listener asks for, with a bearer token on every request. */
export async function connectAgent(endpoint: string, token: string): Promise<Agent> {
  const client = new Client({ name: 'gatehouse-demo', version: '1.0.0' });
  await client.connect(
    new SSEClientTransport(new URL(endpoint), { requestInit: { headers: { authorization: `Bearer ${token}` } } }),
  );
  return {
    tools: async () => (await client.listTools()).tools.map(({ name }) => name),
    call: async (name, args) => {
      try {
        const { content } = await client.callTool({ name, arguments: args });
        return {
          kind: 'returned',
          text: content.map((block) => ('text' in block ? String(block.text) : '')).join('\n'),
        };
      } catch (error) {
        return { kind: 'refused', message: error instanceof Error ? error.message : String(error) };
      }
    },
    close: () => client.close(),
  };
}
