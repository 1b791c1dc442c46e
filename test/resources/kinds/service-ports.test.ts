import { describe, expect, it } from 'vitest';
import { AMBIGUOUS, object, problemsOf, resource } from '../objects.ts';

const MCP = 'kgateway.dev/mcp';

/** The number of each declared port, or `-` for an invalid one. */
function declared(...ports: readonly unknown[]): readonly (number | '-')[] {
  return resource('Service', object('Service', { ports })).mcpPorts.map((part) => (part.ok ? part.value.port : '-'));
}

const problems = (...ports: readonly unknown[]): readonly string[] =>
  problemsOf('Service', object('Service', { ports }));

describe('the MCP ports of a Service', () => {
  it.each([MCP, 'kgateway.dev/mcp-sse', 'agentgateway.dev/mcp', 'agentgateway.dev/mcp-sse'])(
    'declare %s',
    (appProtocol) => {
      expect(declared({ port: 80, appProtocol })).toEqual([80]);
    },
  );

  it.each([undefined, null, '', 'http', 'mcp', 'KGATEWAY.DEV/MCP', `${MCP} `, 'kgateway.dev/mcp-streamable'])(
    'exclude the appProtocol %j',
    (appProtocol) => expect(declared({ port: 80, appProtocol })).toEqual([]),
  );

  it('are in the order of the list', () => {
    expect(declared({ port: 82, appProtocol: MCP }, { port: 80 }, { port: 81, appProtocol: MCP })).toEqual([82, 81]);
  });

  it.each([undefined, null, '', 'TCP'])('may have the protocol %j, which means TCP', (protocol) => {
    expect(declared({ port: 80, appProtocol: MCP, protocol })).toEqual([80]);
  });

  it.each(['UDP', 'SCTP', 'tcp', 'Tcp ', 'HTTP'])('exclude the protocol %j', (protocol) => {
    expect(declared({ port: 80, appProtocol: MCP, protocol }, { port: 80, appProtocol: MCP })).toEqual([80]);
    expect(declared({ port: 0, appProtocol: 5, protocol })).toEqual([]);
  });
});

describe('an invalid port', () => {
  it.each<[string, unknown]>([
    ['it is null', null],
    ['it is a number', 80],
    ['it is a list', []],
    ['it is ambiguous', AMBIGUOUS],
    ['its appProtocol is a number', { port: 80, appProtocol: 5 }],
    ['its appProtocol is ambiguous', { port: 80, appProtocol: AMBIGUOUS }],
    ['its appProtocol is a list', { port: 80, appProtocol: [MCP] }],
    ['its protocol is a number', { port: 80, protocol: 6 }],
    ['its protocol is ambiguous', { port: 80, protocol: AMBIGUOUS, appProtocol: 'http' }],
    ['it has no number', { appProtocol: MCP }],
    ['its number is null', { port: null, appProtocol: MCP }],
    ['its number is a string', { port: '80', appProtocol: MCP }],
    ['its number is ambiguous', { port: AMBIGUOUS, appProtocol: MCP }],
    ['its number is 0', { port: 0, appProtocol: MCP }],
    ['its number is 65536', { port: 65536, appProtocol: MCP }],
    ['its number is no integer', { port: 80.5, appProtocol: MCP }],
    ['its number is a string, and it declares nothing', { port: '80' }],
  ])('counts as declared when %s: the next one does not inherit its name', (_, port) => {
    expect(declared(port, { port: 8080, appProtocol: MCP })).toEqual(['-', 8080]);
    expect(problems(port)).toContainEqual(expect.stringMatching(/^error spec\.ports\[0\]/));
  });
});

describe('a port number', () => {
  it('that was seen before is dropped, and still counts', () => {
    const ports = [
      { port: 80, appProtocol: MCP },
      { port: 80, appProtocol: MCP },
      { port: 81, appProtocol: MCP },
    ];
    expect(declared(...ports)).toEqual([80, '-', 81]);
    expect(problems(...ports)).toEqual([
      'error spec.ports[1].port is 80 for the second time: give every port its own number.',
    ]);
  });

  it.each([{ port: 80 }, { port: 80, appProtocol: 'http' }, { port: 80, appProtocol: 5 }])(
    'is also seen in %j',
    (port) => {
      expect(declared(port, { port: 80, appProtocol: MCP }).at(-1)).toBe('-');
    },
  );
});

describe('a problem of a port', () => {
  it('suggests the MCP app protocol that a misspelt one may mean', () => {
    expect(problems({ port: 80, appProtocol: 'kgateway.dev/MCP' })).toEqual([
      'warning spec.ports[0].appProtocol is "kgateway.dev/MCP", which makes no MCP target: write "kgateway.dev/mcp" if it is to be one.',
    ]);
    expect(problems({ port: 80, appProtocol: 'kgateway.dev/mpc' })).toEqual([
      'warning spec.ports[0].appProtocol is "kgateway.dev/mpc", which makes no MCP target: write "kgateway.dev/mcp" if it is to be one.',
    ]);
    expect(problems({ port: 80, appProtocol: 'http' })).toEqual([]);
    expect(problems({ port: 80, appProtocol: 'kgateway.dev/a2a' })).toEqual([]);
  });

  it('names the protocol that keeps an MCP port from being a target', () => {
    expect(problems({ port: 80, appProtocol: MCP, protocol: 'tcp' })).toEqual([
      'error spec.ports[0].protocol is "tcp", so that the port is no MCP target: write "TCP".',
    ]);
    expect(problems({ port: 53, protocol: 'UDP' })).toEqual([]);
  });
});

it('a Service with more MCP ports than a hundred has none, and one error says so', () => {
  const ports = Array.from({ length: 101 }, (_, index) => ({ port: index + 1, appProtocol: 'kgateway.dev/mcp' }));
  expect(declared(...ports.slice(1))).toHaveLength(100);
  expect(problems(...ports)).toEqual(['error spec.ports has 101 MCP ports: write at most 100, or several Services.']);
});
