import { createContext } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";

/** This browser's wall clock, milliseconds, renewed every second. */
export const Now = createContext(0);

/** Ticks every second; for the one place that provides `Now`. */
export function useClock(): number {
  const [now, setNow] = useState(() => Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1000);
    return () => clearInterval(timer);
  }, []);
  return now;
}

export const useNow = (): number => useContext(Now);
