import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { DeltaDiscoveryResponse, DiscoveryResponse } from '../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Config } from '../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';
import { mcpKgateway, sameEncoding, versionOfAll } from '../../src/wire/wire.ts';
import { config, rule, target } from '../support/worlds/wire-values.ts';

describe('the mcp.kgateway.dev dialect', () => {
  it('encodes a Target under its name with host, port and path', () => {
    const encoded = mcpKgateway.encodeTarget(
      target('default/mcp-tool', { host: '10.0.0.7', port: 8080, path: '/mcp' }),
    );
    const [resource] = DeltaDiscoveryResponse.decode(encoded.deltaField).resources;
    expect(resource?.name).toBe('default/mcp-tool');
    expect(resource?.resource?.typeUrl).toBe('type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target');
    expect(Target.decode(resource?.resource?.value ?? new Uint8Array())).toEqual({
      name: 'default/mcp-tool',
      host: '10.0.0.7',
      port: 8080,
      path: '/mcp',
    });
  });

  it('names a Config <namespace>.<name>, the only name by which a data plane removes it', () => {
    expect(mcpKgateway.encodeConfig(config('team', 'readers', rule())).name).toBe('team.readers');
  });

  it('sets resource, type and matcher of every rule, without which deployed binaries exit', () => {
    const encoded = mcpKgateway.encodeConfig(
      config('default', 'p', rule({ kind: 'tool' }), rule({ kind: 'prompt' }), rule({ kind: 'resource', item: '*' })),
    );
    const [any] = DiscoveryResponse.decode(encoded.sotwField).resources;
    expect(Config.decode(any?.value ?? new Uint8Array()).rules).toEqual([
      { key: 'sub', value: 'me', resource: { id: 'default/mcp-tool:convert', type: 0 }, matcher: 0 },
      { key: 'sub', value: 'me', resource: { id: 'default/mcp-tool:convert', type: 1 }, matcher: 0 },
      { key: 'sub', value: 'me', resource: { id: '*', type: 2 }, matcher: 0 },
    ]);
  });

  it('C4 takes the first 16 bytes of the SHA-256 of the message as the version', () => {
    const encoded = mcpKgateway.encodeTarget(target('a/b'));
    const message = DiscoveryResponse.decode(encoded.sotwField).resources[0]?.value ?? new Uint8Array();
    expect(encoded.version).toBe(createHash('sha256').update(message).digest('hex').slice(0, 32));
    expect(DeltaDiscoveryResponse.decode(encoded.deltaField).resources[0]?.version).toBe(encoded.version);
  });

  it('H1 H2 gives equal objects equal bytes and different objects different versions', () => {
    const one = mcpKgateway.encodeTarget(target('a/b'));
    const same = mcpKgateway.encodeTarget(target('a/b'));
    const other = mcpKgateway.encodeTarget(target('a/b', { port: 81 }));
    expect(one.deltaField.equals(same.deltaField)).toBe(true);
    expect(sameEncoding(one, same)).toBe(true);
    expect(sameEncoding(one, other)).toBe(false);
  });

  it('encodes fields that can be concatenated to a response', () => {
    const encoded = [target('a/b'), target('c/d')].map(mcpKgateway.encodeTarget);
    const response = DeltaDiscoveryResponse.decode(Buffer.concat(encoded.map(({ deltaField }) => deltaField)));
    expect(response.resources.map(({ name }) => name)).toEqual(['a/b', 'c/d']);
  });

  it('shares one buffer between both protocol variants', () => {
    const { deltaField, sotwField } = mcpKgateway.encodeTarget(target('a/b'));
    expect(sotwField.buffer).toBe(deltaField.buffer);
    const [inDelta] = DeltaDiscoveryResponse.decode(deltaField).resources;
    expect(DiscoveryResponse.decode(sotwField).resources).toEqual([inDelta?.resource]);
  });

  it('pushes Configs before Targets', () => {
    expect(mcpKgateway.configType.pushOrder).toBeLessThan(mcpKgateway.targetType.pushOrder);
  });
});

describe('versionOfAll', () => {
  it('distinguishes parts with the same concatenation', () => {
    expect(versionOfAll(['ab', 'c'])).not.toBe(versionOfAll(['a', 'bc']));
  });

  it('changes with any part', () => {
    expect(versionOfAll(['a', '1', 'b', '2'])).not.toBe(versionOfAll(['a', '1', 'b', '3']));
  });
});
