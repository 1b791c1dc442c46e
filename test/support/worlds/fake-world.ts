import type { PrimitiveKind } from '../../../src/authz/model.ts';
import type { World, WorldChange } from '../../../src/gateway/model.ts';
import { type Config, Resource_Type, Rule_Matcher } from '../../../src/gen/mcp/kgateway/dev/rbac/v1alpha1/rbac.ts';
import type { Target } from '../../../src/gen/mcp/kgateway/dev/target/v1alpha1/target.ts';

/** What a control plane could have said, as a test wants it. */
export interface FakeWorld extends World {
  putTarget(target: Target): void;
  removeTarget(name: string): void;
  /** Lets everybody whose `sub` is `subject` use the thing; `*` is everything of that kind. */
  allow(config: string, subject: string, kind: PrimitiveKind, id: string): void;
  removeConfig(name: string): void;
}

const types = { tool: Resource_Type.TOOL, prompt: Resource_Type.PROMPT, resource: Resource_Type.RESOURCE } as const;

export function createFakeWorld(): FakeWorld {
  const targets = new Map<string, Target>();
  const configs = new Map<string, Config>();
  const followers = new Set<(change: WorldChange) => void>();
  const tell = (change: Partial<WorldChange>): void => {
    for (const changed of followers) changed({ targets: [], configs: [], ...change });
  };
  return {
    targets,
    configs,
    subscribe(changed) {
      followers.add(changed);
      return () => followers.delete(changed);
    },
    putTarget(target) {
      targets.set(target.name, target);
      tell({ targets: [target.name] });
    },
    removeTarget(name) {
      targets.delete(name);
      tell({ targets: [name] });
    },
    allow(config, subject, kind, id) {
      const [namespace = '', name = ''] = config.split('.');
      const rule = { key: 'sub', value: subject, resource: { id, type: types[kind] }, matcher: Rule_Matcher.EQUALS };
      configs.set(config, { namespace, name, rules: [...(configs.get(config)?.rules ?? []), rule] });
      tell({ configs: [config] });
    },
    removeConfig(name) {
      configs.delete(name);
      tell({ configs: [name] });
    },
  };
}
