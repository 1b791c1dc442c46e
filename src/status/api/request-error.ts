import { apiErrorText } from '../../kube/api-error.ts';
import type { ApiError, StatusError } from '../../kube/model.ts';

/** An {@link ApiError}, classified by what the caller does next. `message` is its {@link apiErrorText}, for logs. */
export type RequestError =
  /** 409: the object has another resource version by now, or exists already. Read it again. */
  | { readonly kind: 'conflict'; readonly message: string }
  /** 404 or 410: the object does not exist. */
  | { readonly kind: 'gone'; readonly message: string }
  /** 400, 413, 415 or 422: the content is invalid. The same content will be refused again. */
  | { readonly kind: 'refused'; readonly message: string }
  /** Any other status, such as 403 or 500: this object or permission fails, others may succeed. */
  | { readonly kind: 'failed'; readonly message: string }
  /**
   * 401, 429, 502, 503, 504, or no usable response, after which the request may have been carried out or not: stop all
   * requests. `retryAfter` is the wait that the server asks for, in milliseconds; 0 when it does not ask.
   */
  | { readonly kind: 'unavailable'; readonly message: string; readonly retryAfter: number };

/** Classifies an error. */
export function requestError(error: ApiError): RequestError {
  const message = apiErrorText(error);
  if (!('status' in error)) return { kind: 'unavailable', message, retryAfter: 0 };
  const kind = kindOf(error);
  return kind === 'unavailable' ? { kind, message, retryAfter: error.retryAfter } : { kind, message };
}

function kindOf({ reason, status }: StatusError): RequestError['kind'] {
  switch (reason) {
    case 'unauthorized':
    case 'busy':
      return 'unavailable';
    case 'not-found':
    case 'expired':
      return 'gone';
    case 'forbidden':
      return 'failed';
    case 'refused':
      return kindOfStatus(status);
  }
}

function kindOfStatus(status: number): RequestError['kind'] {
  switch (status) {
    case 409:
      return 'conflict';
    case 400:
    case 413:
    case 415:
    case 422:
      return 'refused';
    case 502:
    case 504:
      return 'unavailable';
    default:
      return 'failed';
  }
}
