import { type Decoder, ok, optional, refine, withDefault } from '../decode/decoder.ts';
import { dnsLabel, dnsSubdomain, isPlain } from '../decode/formats.ts';
import { list } from '../decode/list.ts';
import { allValid, belongIn, strictMapping } from '../decode/mapping.ts';
import type { Reporter } from '../decode/reporter.ts';
import { longerThan, oneOfIgnoringCase, type TextRule, text } from '../decode/scalars.ts';
import type { ClaimMatch, Invalid, Parsed, Path, PolicyRule, RuleResource } from '../model.ts';

const resourceName: TextRule = {
  expected:
    '"*", or "<target name>:<name>" without "*" in the target name (at most 1024 characters, no control characters)',
  test: (value) => value === '*' || (/^[^:*]+:[\s\S]+$/.test(value) && !longerThan(1024, value) && isPlain(value)),
};

const kinds = ['tool', 'prompt', 'resource'] as const;

const resource: Decoder<RuleResource> = refine(
  allValid(strictMapping({ kind: oneOfIgnoringCase(kinds, kinds), name: text(resourceName) })),
  ({ kind, name }, path, reporter): Parsed<RuleResource> => {
    if (name === '*') return ok({ kind, name: { all: true } });
    const colon = name.indexOf(':');
    const item = name.slice(colon + 1);
    if (item.includes('*')) {
      reporter.warning(
        [...path, 'name'],
        `has a "*" that stands for itself: only a name that is just "*" means everything.`,
      );
    }
    return ok({ kind, name: { all: false, target: name.slice(0, colon), item } });
  },
);

const misplacedInRule = {
  ...belongIn('an entry of matches', ['type', 'jwt', 'serviceAccount']),
  ...belongIn('resource', ['kind', 'name']),
};

/**
 * Decodes one rule. A rule without matches is invalid: it would match no caller.
 *
 * @param policyNamespace the default namespace of service accounts
 */
export function policyRule(policyNamespace: string): Decoder<PolicyRule> {
  const matches = refine(list(policyMatch(policyNamespace), { most: 64 }), (entries, path, reporter) =>
    entries.length > 0 ? ok(entries) : reporter.error(path, 'is empty, and matches nobody: write at least one match.'),
  );
  return refine(allValid(strictMapping({ matches, resource }, misplacedInRule)), (rule) =>
    ok({ resource: rule.resource, matches: rule.matches }),
  );
}

const claimRule: TextRule = {
  expected: 'the name of a claim (1 to 253 characters, no control characters)',
  test: (value) => value !== '' && !longerThan(253, value) && isPlain(value),
};

const claimValue: TextRule = {
  expected: 'the value of the claim (1 to 1024 characters, no control characters)',
  test: (value) => value !== '' && !longerThan(1024, value) && isPlain(value),
  hidden: true,
};

/** Claims that are usually lists in tokens; only a claim that is a string matches. */
const listClaims = ['groups', 'roles', 'aud', 'scp'];

const claim: Decoder<string> = refine(text(claimRule), (name, path, reporter) => {
  if (listClaims.includes(name)) {
    reporter.warning(
      path,
      `is ${JSON.stringify(name)}, usually a list, and only string claims match: choose a claim that is one.`,
    );
  }
  return ok(name);
});

const misplacedInMatch = {
  ...belongIn('jwt', ['claim', 'value']),
  ...belongIn('serviceAccount', ['name', 'namespace']),
  ...belongIn('the rule, beside matches', ['resource']),
};

/** Decodes one match to the claim that a token must have; a service account becomes its `sub` claim. */
function policyMatch(policyNamespace: string): Decoder<ClaimMatch> {
  const fields = {
    type: oneOfIgnoringCase(['jwt', 'serviceaccount'], ['JWT', 'ServiceAccount']),
    jwt: optional(allValid(strictMapping({ claim, value: text(claimValue) }))),
    serviceAccount: optional(
      allValid(strictMapping({ name: text(dnsSubdomain), namespace: withDefault(text(dnsLabel), policyNamespace) })),
    ),
  };
  return refine(allValid(strictMapping(fields, misplacedInMatch)), ({ type, jwt, serviceAccount }, path, reporter) => {
    if (type === 'jwt') {
      if (serviceAccount) return otherBlock('serviceAccount', 'JWT', path, reporter);
      return jwt ? ok({ claim: jwt.claim, value: jwt.value }) : missingBlock('jwt', 'JWT', path, reporter);
    }
    if (jwt) return otherBlock('jwt', 'ServiceAccount', path, reporter);
    if (!serviceAccount) return missingBlock('serviceAccount', 'ServiceAccount', path, reporter);
    const subject = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
    return ok({ claim: 'sub', value: subject });
  });
}

function otherBlock(field: string, type: string, path: Path, reporter: Reporter): Invalid {
  const detail = `does not go with type ${type}: remove it, or write it as a match of its own.`;
  return reporter.error([...path, field], detail);
}

function missingBlock(field: string, type: string, path: Path, reporter: Reporter): Invalid {
  return reporter.error([...path, field], `is missing, and type ${type} needs it: write it.`);
}
