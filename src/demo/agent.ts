import { Client, SSEClientTransport } from '@modelcontextprotocol/client';

/** The result of a tool call: the tool's text, or the error of the gateway. */
export type Outcome =
  | { readonly kind: 'returned'; readonly text: string }
  | { readonly kind: 'refused'; readonly message: string };

/** An MCP client of the gateway. */
export interface Agent {
  tools(): Promise<readonly string[]>;
  call(tool: string, args: Readonly<Record<string, unknown>>): Promise<Outcome>;
  close(): Promise<void>;
}

/** Connects by HTTP+SSE, the transport of the guide's listener, with a bearer token on each request. */
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
