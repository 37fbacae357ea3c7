# docker build -t dse . && docker run --rm -v "$PWD":/work -v dse-cache:/cache dse run spaces/quickstart.toml
FROM python:3.12-slim
COPY . /src
RUN pip install --no-cache-dir --no-deps --constraint /src/constraints.txt \
        --index-url https://download.pytorch.org/whl/cpu torch \
    && pip install --no-cache-dir --constraint /src/constraints.txt '/src[dashboard,plots,query]' \
    && rm -rf /src
ENV DSE_CACHE=/cache
WORKDIR /work
ENTRYPOINT ["dse"]
