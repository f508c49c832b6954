// Message catalogues, read when the app is built.

declare module "*.ftl" {
  import type { FluentResource } from "@fluent/bundle";
  const words: FluentResource;
  export default words;
}
