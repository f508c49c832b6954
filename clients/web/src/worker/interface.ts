// What may be asked of the server and what it answers: the types of its own document.

import type { components, paths } from "../../core/api";

export type Schemas = components["schemas"];
export type Path = keyof paths;
type Method = "get" | "post";

/** What an operation answers; nothing, if it answers without a body. */
export type Given<P extends Path, M extends Method> =
  NonNullable<paths[P][M]> extends {
    responses: { 200: { content: { "application/json": infer Answer } } };
  }
    ? Answer
    : null;

/** What an operation takes. */
export type Taken<P extends Path> =
  NonNullable<paths[P]["post"]> extends {
    requestBody: { content: { "application/json": infer Request } };
  }
    ? Request
    : null;
