import { type CallToolResult, ProtocolError, ProtocolErrorCode, Server, type Tool } from '@modelcontextprotocol/server';
import type { Logger } from '../edges.ts';
import { shortened } from '../json/quoted.ts';
import { ConversionError } from './conversion-error.ts';
import { type UriConverter, uriScheme } from './uri-converter.ts';

/**
 * The tool's definition, identical to that of markitdown-mcp, so that either server can replace the other.
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

/** Shared by all server instances. */
export interface ToolServerParts {
  readonly converter: UriConverter;
  readonly version: string;
  readonly log: Logger;
}

/**
 * Creates an MCP server with the one tool, for one HTTP+SSE session or one stateless request.
 *
 * @param supportedProtocolVersions revisions that the transport allows; default: all that the SDK knows
 */
export function createToolServer(parts: ToolServerParts, supportedProtocolVersions?: readonly string[]): Server {
  const server = new Server(
    { name: 'gatehouse-mcp-tool', version: parts.version },
    {
      capabilities: { tools: {} },
      ...(supportedProtocolVersions && { supportedProtocolVersions: [...supportedProtocolVersions] }),
    },
  );
  server.setRequestHandler('tools/list', () => ({ tools: [tool] }));
  server.setRequestHandler('tools/call', async ({ params }, { mcpReq }) => {
    if (params.name !== tool.name) {
      throw new ProtocolError(ProtocolErrorCode.InvalidParams, `Unknown tool: ${shortened(params.name)}`);
    }
    const uri = params.arguments?.['uri'];
    if (typeof uri !== 'string') return errorResult(`${tool.name} needs the argument "uri", a string.`);
    return convert(uri, parts, mcpReq.signal);
  });
  return server;
}

/** Logs the scheme and the outcome, never the URI: it may contain a secret, and a `data:` URI is the document. */
async function convert(uri: string, { converter, log }: ToolServerParts, signal: AbortSignal): Promise<CallToolResult> {
  const scheme = uriScheme(uri);
  try {
    const markdown = await converter.convert(uri, signal);
    log.info('converted', { scheme, characters: markdown.length });
    return { content: [{ type: 'text', text: markdown }] };
  } catch (error) {
    if (error instanceof ConversionError) {
      log.info('refused', { scheme, reason: error.reason });
      return errorResult(error.message);
    }
    if (!signal.aborted) log.error('conversion failed', { scheme, error });
    return errorResult('The conversion failed inside of this server.');
  }
}

function errorResult(message: string): CallToolResult {
  return { content: [{ type: 'text', text: message }], isError: true };
}
