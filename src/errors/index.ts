/** The cellar: how everything above says what went wrong. */
import "./node-version.ts";

export { ERROR_CODES, type ErrorCode } from "./catalogue.ts";
export { NightshiftError, type NightshiftErrorOptions } from "./nightshift-error.ts";
export { Problems, problemsOf } from "./problems.ts";
export { messageOf, show } from "./show.ts";
export { didYouMean, nearestOrAll, suggest } from "./suggest.ts";
