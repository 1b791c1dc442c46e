import { type Decoder, defaulted, optional, refine } from '../decode/decoder.ts';
import { DNS_LABEL, DNS_SUBDOMAIN, isPlain } from '../decode/formats.ts';
import { narrowing, whole } from '../decode/mapping.ts';
import type { Report } from '../decode/reporter.ts';
import { longerThan, oneOfAnyCase, type TextRule, text } from '../decode/scalars.ts';
import type { ClaimMatch, Path } from '../model.ts';
import { ok } from '../part.ts';

const CLAIM: TextRule = {
  expected: 'the name of a claim (1 to 253 characters, no control characters)',
  test: (value) => value !== '' && !longerThan(253, value) && isPlain(value),
};

const CLAIM_VALUE: TextRule = {
  expected: 'the value of the claim (1 to 1024 characters, no control characters)',
  test: (value) => value !== '' && !longerThan(1024, value) && isPlain(value),
  hidden: true,
};

/** Claims that tokens usually carry as a list; only a claim that is a string matches. */
const LIST_CLAIMS = ['groups', 'roles', 'aud', 'scp'];

const claim: Decoder<string> = refine(text(CLAIM), (name, at, report) => {
  if (LIST_CLAIMS.includes(name)) {
    report.warning(
      at,
      `is ${JSON.stringify(name)}, usually a list, and only string claims match: choose a claim that is one.`,
    );
  }
  return ok(name);
});

/** Who matches, in a policy of this namespace: a service account without a namespace is one of it. */
export function policyMatch(policyNamespace: string): Decoder<ClaimMatch> {
  const block = narrowing({
    type: oneOfAnyCase(['jwt', 'serviceaccount'], ['JWT', 'ServiceAccount']),
    jwt: optional(whole(narrowing({ claim, value: text(CLAIM_VALUE) }))),
    serviceAccount: optional(
      whole(narrowing({ name: text(DNS_SUBDOMAIN), namespace: defaulted(text(DNS_LABEL), policyNamespace) })),
    ),
  });
  return refine(whole(block), ({ type, jwt, serviceAccount }, at, report) => {
    if (type === 'jwt') {
      if (serviceAccount) return stranger('serviceAccount', 'JWT', at, report);
      return jwt ? ok({ claim: jwt.claim, value: jwt.value }) : missing('jwt', 'JWT', at, report);
    }
    if (jwt) return stranger('jwt', 'ServiceAccount', at, report);
    if (!serviceAccount) return missing('serviceAccount', 'ServiceAccount', at, report);
    const subject = `system:serviceaccount:${serviceAccount.namespace}:${serviceAccount.name}`;
    return ok({ claim: 'sub', value: subject });
  });
}

function stranger(field: string, type: string, at: Path, report: Report): ReturnType<Report['error']> {
  return report.error([...at, field], `does not go with type ${type}: remove it, or write it as a match of its own.`);
}

function missing(field: string, type: string, at: Path, report: Report): ReturnType<Report['error']> {
  return report.error([...at, field], `is missing, and type ${type} needs it: write it.`);
}
