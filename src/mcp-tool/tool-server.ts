import { type CallToolResult, ProtocolError, ProtocolErrorCode, Server, type Tool } from '@modelcontextprotocol/server';
import type { Logger } from '../edges.ts';
import { schemeOf, type UriConverter } from './uri-converter.ts';
import { Refusal } from './conversion-error.ts';

/**
 * The tool, word for word as markitdown-mcp lists it, so that one can stand in for the other.
 * @see https://github.com/microsoft/markitdown/tree/main/packages/markitdown-mcp
 */
const tool: Tool = {
  name: 'convert_to_markdown',
  description: 'Convert a resource described by an http:, https:, file: or data: URI to markdown',
  inputSchema: {
    type: 'object',
    title: 'convert_to_markdownArguments',
    properties: { uri: { title: 'Uri', type: 'string' } },
    required: ['uri'],
  },
};

/** What every server instance shares. */
export interface ToolServing {
  readonly converter: UriConverter;
  readonly version: string;
  readonly log: Logger;
}

/**
 * An MCP server with the one tool: for one connection, or for one request where there are no connections.
 *
 * @param supportedProtocolVersions when the transport belongs to certain revisions only.
 */
export function createToolServer(serving: ToolServing, supportedProtocolVersions?: readonly string[]): Server {
  const server = new Server(
    { name: 'gatehouse-mcp-tool', version: serving.version },
    {
      capabilities: { tools: {} },
      ...(supportedProtocolVersions && { supportedProtocolVersions: [...supportedProtocolVersions] }),
    },
  );
  server.setRequestHandler('tools/list', () => ({ tools: [tool] }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    if (params.name !== tool.name) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${params.name}`);
    }
    const uri = params.arguments?.['uri'];
    if (typeof uri !== 'string') return failure(`${tool.name} needs the argument "uri", a string.`);
    return call(uri, serving, mcpReq.signal);
  });
  return server;
}

/** The log says the scheme and the outcome, never the URI: it may hold a secret, or be the document itself. */
async function call(uri: string, { converter, log }: ToolServing, signal: AbortSignal): Promise<CallToolResult> {
  const scheme = schemeOf(uri);
  try {
    const markdown = await converter.convert(uri, signal);
    log.info('converted', { scheme, characters: markdown.length });
    return { content: [{ type: 'text', text: markdown }] };
  } catch (error) {
    if (error instanceof Refusal) {
      log.info('refused', { scheme, reason: error.reason });
      return failure(error.message);
    }
    if (!signal.aborted) log.error('conversion failed', { scheme, error });
    return failure('The conversion failed inside of this server.');
  }
}

function failure(message: string): CallToolResult {
  return { content: [{ type: 'text', text: message }], isError: true };
}
