"""Eva, Eva-f and Eva-s: curvature of rank one."""
