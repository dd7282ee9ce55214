/** Who may use this server. */
import { bool, integer, line, list, secretText } from "../field.ts";

export const access = {
  disable_rest_auth: bool(
    true,
    "REST, events, metrics and the page's data are open to everybody. With false they ask for rest_auth_user and rest_auth_password, or for rest_auth_token.",
  ),
  rest_auth_user: line("", "User name for HTTP Basic."),
  rest_auth_password: secretText("Password for HTTP Basic.", 8),
  rest_auth_token: secretText("Token for HTTP Bearer.", 16),
  rest_auth_failures_per_minute: integer(
    30,
    1,
    100_000,
    "Wrong credentials of one client address, after which it has to wait.",
  ),
  publish_token: secretText(
    "Publishers must show it: WebSDK clients as custom.token, WHIP clients as Bearer token, RTMP as ?token=.",
    16,
  ),
  publish_app_keys: list("Application keys that WebSDK clients may come with; empty allows any."),
};
