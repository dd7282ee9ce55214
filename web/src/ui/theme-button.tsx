import { useEffect, useState } from "preact/hooks";
import { Icon } from "./icon.tsx";

type Theme = "light" | "dark";

const KEY = "transponder-theme";
const SYSTEM = matchMedia("(prefers-color-scheme: dark)");

const systemTheme = (): Theme => (SYSTEM.matches ? "dark" : "light");

function storedTheme(): Theme | undefined {
  const stored = localStorage.getItem(KEY);
  return stored === "light" || stored === "dark" ? stored : undefined;
}

/** Switches between light and dark; follows the system until it is used. */
export function ThemeButton() {
  const [chosen, setChosen] = useState(storedTheme);
  const [system, setSystem] = useState(systemTheme);
  const theme = chosen ?? system;
  const other: Theme = theme === "dark" ? "light" : "dark";
  useEffect(() => {
    const follow = (): void => setSystem(systemTheme());
    SYSTEM.addEventListener("change", follow);
    return () => SYSTEM.removeEventListener("change", follow);
  }, []);
  useEffect(() => {
    document.documentElement.dataset["theme"] = theme;
  }, [theme]);
  const toggle = (): void => {
    localStorage.setItem(KEY, other);
    setChosen(other);
  };
  return (
    <button type="button" class="plain" aria-label={`Use ${other} colours`} onClick={toggle}>
      <Icon name={other === "dark" ? "moon" : "sun"} />
    </button>
  );
}
