import { RequestError } from '../request-error.ts';

/** A matcher that means nothing, or that is not supported. */
export class InvalidMatcher extends RequestError {
  /** @param field where it stands in the request */
  constructor(field: string, problem: string) {
    super('INVALID_ARGUMENT', `${field}: ${problem}`);
    this.name = 'InvalidMatcher';
  }
}
