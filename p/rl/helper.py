def val(): return 'mended'
