"""The bundled surface engine: rays from a nucleus to w = ½, with marching cubes where rays do not do."""
