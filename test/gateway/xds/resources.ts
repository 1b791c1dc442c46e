import type { Resource } from '../../../src/gen/envoy/service/discovery/v3/discovery.ts';
import { Config, type Rule } from '../../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';

/** Resources as a control plane sends them, with builders for invalid ones. */

export const targetType = 'type.googleapis.com/mcp.kgateway.dev.target.v1alpha1.Target';
export const configType = 'type.googleapis.com/mcp.kgateway.dev.rbac.v1alpha1.Config';

type Sent = Pick<Resource, 'name' | 'version' | 'resource'>;

const rule: Rule = { key: 'sub', value: 'me', resource: { id: '*', type: 0 }, matcher: 0 };

export function target(name: string, change: Partial<Target> = {}, version = '1'): Sent {
  const message = { name, host: '10.0.0.1', port: 8080, path: '', ...change };
  return { name, version, resource: { typeUrl: targetType, value: Buffer.from(Target.encode(message).finish()) } };
}

/** @param name the resource name, `<namespace>.<name>` */
export function config(name: string, rules: readonly Partial<Rule>[] = [{}], version = '1'): Sent {
  const [namespace = '', ...rest] = name.split('.');
  const message = { name: rest.join('.'), namespace, rules: rules.map((change) => ({ ...rule, ...change })) };
  return { name, version, resource: { typeUrl: configType, value: Buffer.from(Config.encode(message).finish()) } };
}

/** A resource whose bytes are not a valid message. */
export function garbage(name: string, typeUrl: string): Sent {
  return { name, version: '1', resource: { typeUrl, value: Buffer.from([0x0a, 0xff]) } };
}

/** A Config with an unknown field: at the top, in its rule, in the resource of its rule, or nowhere. */
export function configOfTomorrow(name: string, where: 'config' | 'rule' | 'resource' | 'nowhere'): Sent {
  const [namespace = '', ...rest] = name.split('.');
  const text = (field: number, value: string): Buffer => lengthDelimited(field, Buffer.from(value));
  const extra = (here: typeof where): Buffer => (where === here ? Buffer.of((9 << 3) | 0, 1) : Buffer.alloc(0));
  const resource = Buffer.concat([text(1, '*'), Buffer.of((2 << 3) | 0, 0), extra('resource')]);
  // Explicit zero values of enums are valid, although encoders omit them.
  const rule = Buffer.concat([
    text(1, 'sub'),
    text(2, 'me'),
    lengthDelimited(4, resource),
    Buffer.of((5 << 3) | 0, 0),
    extra('rule'),
  ]);
  const value = Buffer.concat([text(1, rest.join('.')), text(2, namespace), lengthDelimited(3, rule), extra('config')]);
  return { name, version: '1', resource: { typeUrl: configType, value } };
}

function lengthDelimited(field: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((field << 3) | 2, bytes.length), bytes]);
}
